package review

import (
	"fmt"
	"strings"
)

// renderGitHub writes workflow commands, by which GitHub Actions shows
// annotations on the lines of a pull request. GitHub shows ten of each kind from
// a step: the worst come first, and the last says how many there are in all.
func renderGitHub(r Review, o Options) []byte {
	var b strings.Builder
	counts := map[level]int{}
	for _, f := range r.findings() {
		counts[f.level]++
		most := githubShown
		if f.level == note {
			most-- // one is for the sum
		}
		if counts[f.level] > most {
			continue
		}
		text := f.text
		if f.hint != "" {
			text += "\nWhat to do: " + f.hint
		}
		properties := fmt.Sprintf("file=%s,line=%d", githubProperty(o.at(f.file)), f.line)
		if f.col > 0 {
			properties += fmt.Sprintf(",col=%d", f.col)
		}
		fmt.Fprintf(&b, "::%s %s,title=%s::%s\n", githubCommands[f.level], properties, githubProperty(f.title), githubData(text))
	}
	sum := r.summary()
	if v := r.verdict(); len(v) > 0 {
		sum += "; " + v.plain()
	}
	var left []string
	for l := failure; l <= note; l++ {
		most := githubShown
		if l == note {
			most--
		}
		if n := counts[l] - most; n > 0 {
			left = append(left, number(n, "more "+githubCommands[l], "more "+githubCommands[l]+"s"))
		}
	}
	if len(left) > 0 {
		sum += "; not shown here: " + strings.Join(left, ", ") + ": " + r.command() + " lists all"
	}
	fmt.Fprintf(&b, "::notice title=%s::%s\n", githubProperty("Access review"), githubData(sum))
	return []byte(b.String())
}

// githubShown is how many annotations of each kind GitHub shows from a step.
const githubShown = 10

var githubCommands = map[level]string{failure: "error", warning: "warning", note: "notice"}

// githubData and githubProperty escape as github.com/actions/toolkit does in
// packages/core/src/command.ts, which the runner undoes.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(harmless(s))
}
