package review

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// Marker is the first line of a review in Markdown. No reader sees it; whoever
// posts a review finds by it the comment to replace.
const Marker = "<!-- infra review -->"

// renderMarkdown writes a review for a pull request: a sentence, the verdict, and
// a table for each class of changes, the worst first. Where that is more than
// Options.Limit bytes, the rows that matter least are left out and counted.
func renderMarkdown(r Review, o Options) []byte {
	d := newDocument(r, o)
	if all := d.write(len(d.ranks)); len(all) <= o.Limit {
		return []byte(all)
	}
	// More rows are more bytes, but for the note that the last row makes needless.
	rows := sort.Search(len(d.ranks), func(n int) bool { return len(d.write(n)) > o.Limit })
	for ; rows >= 0; rows-- {
		if out := d.write(rows); len(out) <= o.Limit {
			return []byte(out)
		}
	}
	// Only a limit of less than a screen comes to this.
	out := fmt.Sprintf("%s\n%s\n\n%s\n", Marker, sentenceCase(r.summary())+".", d.listsAll())
	return []byte(out)
}

// A document is a review in Markdown, in pieces of which some can be left out.
type document struct {
	review Review
	top    string
	blocks []block
	ranks  []int // of all rows, ascending
}

// A block is a heading and rows below it: of a table where there is a header, else
// of a list.
type block struct {
	title  string
	header string
	rows   []mdRow
	shown  int // rows beyond so many are behind a fold
	foot   string
	counts func(left []mdRow) string // names what is left out
}

type mdRow struct {
	text string
	rank int // the rows of the lowest ranks are kept; within a block it never falls
	line *line
}

// Ranks. A few rows of every block come before the mass of any.
const (
	rankVerdict = iota
	rankFew
	rankClass                              // and the class
	rankRest    = rankClass + int(classes) // of refusals and problems
	rankMembers = rankRest + 1             // who is in a group
	few, many   = 10, 50                   // rows before the fold
)

func newDocument(r Review, o Options) *document {
	d := &document{review: r, top: top(r)}
	d.refusals(r.refused())
	d.problems("The base does not load", "Everything is shown as new.", r.BaseProblems)
	d.problems("Problems", "", r.Problems)
	lines := gathered(fold(r.Changes, o.People))
	for c := range classes {
		d.class(c, lines)
	}
	d.standing(r.Standing)
	d.destinations(r)
	d.members(lines)
	for _, b := range d.blocks {
		for _, row := range b.rows {
			d.ranks = append(d.ranks, row.rank)
		}
	}
	slices.Sort(d.ranks)
	return d
}

// top is what no limit takes away.
func top(r Review) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### Access review\n\n**%s.**\n", Marker, sentenceCase(r.summary()))
	if also := r.also(); also != "" {
		fmt.Fprintf(&b, "Also: %s.\n", also)
	}
	if t := r.touched(few, few); len(t) > 0 {
		fmt.Fprintf(&b, "\nDestinations: %s.\n", t.markdown())
	}
	switch v := r.verdict(); {
	case len(v) > 0:
		fmt.Fprintf(&b, "\n⛔ **%s.**\n", sentenceCase(v.markdown()))
	case len(r.BaseProblems) > 0:
		b.WriteString("\n⛔ **The base does not load, so this review compares with nothing.**\n")
	case len(r.Problems) > 0:
		fmt.Fprintf(&b, "\n⛔ **%s that the base does not have.**\n", sentenceCase(number(len(r.Problems), "warning", "warnings")))
	default:
		b.WriteString("\n✅ Nothing in policy or brakes is against it.\n")
	}
	for i, n := range r.Notes {
		if i == few {
			fmt.Fprintf(&b, "\nNote: and %s more.\n", count(len(r.Notes)-few))
			break
		}
		fmt.Fprintf(&b, "\nNote: %s\n", prose(n))
	}
	return b.String()
}

// sentenceCase begins a text with a capital letter.
func sentenceCase(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// write is the document with so many rows, those that matter most.
func (d *document) write(rows int) string {
	// All rows below a rank are kept, and of that rank the first ones.
	limit, ofLimit := rankMembers+1, 0
	if rows < len(d.ranks) {
		limit = d.ranks[rows]
		first, _ := slices.BinarySearch(d.ranks, limit)
		ofLimit = rows - first
	}
	var b strings.Builder
	b.WriteString(d.top)
	if left := len(d.ranks) - rows; left > 0 {
		fmt.Fprintf(&b, "\nShortened: %s of %s lines are shown, the most important ones. %s\n",
			count(rows), count(len(d.ranks)), d.listsAll())
	}
	for _, block := range d.blocks {
		kept := 0
		for _, row := range block.rows {
			if row.rank == limit && ofLimit > 0 {
				ofLimit--
			} else if row.rank >= limit {
				break
			}
			kept++
		}
		block.write(&b, kept, d)
	}
	return b.String()
}

// listsAll tells where everything is to be read.
func (d *document) listsAll() string { return fmt.Sprintf("`%s` lists all.", d.review.command()) }

func (k block) write(b *strings.Builder, kept int, d *document) {
	fmt.Fprintf(b, "\n%s\n", k.title)
	shown := min(kept, k.shown)
	if shown > 0 {
		b.WriteString("\n" + k.header)
		for _, row := range k.rows[:shown] {
			b.WriteString(row.text)
		}
	}
	if kept > shown {
		what := "more"
		if shown == 0 {
			what = "in all"
		}
		fmt.Fprintf(b, "\n<details><summary>%s %s</summary>\n\n%s", count(kept-shown), what, k.header)
		for _, row := range k.rows[shown:kept] {
			b.WriteString(row.text)
		}
		b.WriteString("\n</details>\n")
	}
	if left := k.rows[kept:]; len(left) > 0 {
		fmt.Fprintf(b, "\nand %s; %s\n", k.counts(left), d.listsAll())
	}
	if k.foot != "" {
		fmt.Fprintf(b, "\n%s\n", k.foot)
	}
}

// add appends a block, unless it has no rows.
func (d *document) add(b block) {
	if len(b.rows) > 0 {
		d.blocks = append(d.blocks, b)
	}
}

func moreOf(one, many string) func([]mdRow) string {
	return func(left []mdRow) string { return number(len(left), "more "+one, "more "+many) }
}

// rankOf is better for the first rows of a block than for the others.
func rankOf(i, best, rest int) int {
	if i < few {
		return best
	}
	return rest
}

func item(p schema.Pos, text string) string {
	if at := place(p, false); len(at) > 0 {
		return fmt.Sprintf("- %s: %s\n", at.markdown(), text)
	}
	return fmt.Sprintf("- %s\n", text)
}

func (d *document) refusals(rules []refusedRule) {
	for _, r := range rules {
		b := block{title: "**" + r.title().markdown() + "**", shown: few, counts: moreOf("refusal", "refusals")}
		for i, f := range r.refusals {
			b.rows = append(b.rows, mdRow{text: item(f.Pos, prose(f.Message)), rank: rankOf(i, rankVerdict, rankRest)})
		}
		if r.hint != "" {
			b.foot = "**What to do:** " + hintWords(r.hint).markdown()
		}
		d.add(b)
	}
}

// hintWords keeps a command that a hint ends with in one piece.
func hintWords(hint string) phrase {
	for _, before := range []string{": infra ", "run infra "} {
		if i := strings.Index(hint, before); i >= 0 {
			i += len(before) - len("infra ")
			return say(part{sentence, strings.TrimSpace(hint[:i])}, " ", named(hint[i:]))
		}
	}
	return say(part{sentence, hint})
}

func (d *document) problems(title, sentence string, problems schema.Problems) {
	b := block{title: "#### " + title, shown: many, counts: moreOf("problem", "problems")}
	if sentence != "" {
		b.title += "\n\n" + sentence
	}
	for i, p := range problems {
		b.rows = append(b.rows, mdRow{text: item(p.Pos, string(p.Severity)+": "+prose(p.Message)), rank: rankOf(i, rankVerdict, rankRest)})
	}
	d.add(b)
}

func (d *document) standing(standing []policy.Refusal) {
	b := block{title: "#### " + standingTitle, counts: moreOf("finding", "findings")}
	for i, f := range standing {
		text := say(named(string(f.Rule)), ": ", part{sentence, f.Message}).markdown()
		b.rows = append(b.rows, mdRow{text: item(f.Pos, text), rank: rankOf(i, rankFew, rankRest)})
	}
	d.add(b)
}

// destinations has all where the top has not.
func (d *document) destinations(r Review) {
	if len(r.Destinations) <= few {
		return
	}
	b := block{title: "#### " + destinationsTitle, counts: moreOf("destination", "destinations")}
	for i, x := range r.Destinations {
		one := Review{Destinations: []Destination{x}}
		b.rows = append(b.rows, mdRow{text: "- " + one.touched(1, everyOwner).markdown() + "\n", rank: rankOf(i, rankFew, rankRest)})
	}
	d.add(b)
}
