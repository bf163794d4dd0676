// Package review says what a change of the repository comes to, in the words
// and formats of those who read it: a person at a terminal, a pull request, a
// code host's annotations, a CI system.
//
// A Review is put together from two revisions by New, which decides nothing:
// the changes are access.Compare's, the verdict is policy.Step's. Render writes
// it in one of the formats. Names and reasons come from whoever proposes the
// change, so every format makes them harmless in its own way.
package review

import (
	"fmt"
	"io"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// A Review is everything that there is to say of a change. The zero value says
// that nothing changes.
type Review struct {
	Base, Head string // what the reader calls them: a branch, a commit, "the work tree"
	At         time.Time

	BaseProblems schema.Problems // errors of a base that does not load: then everything is new
	Problems     schema.Problems // of the head: all errors, and the warnings that the base does not have
	Changes      []access.Change
	Refusals     []policy.Refusal
	Standing     []policy.Refusal // what the head has against its own policy already, and nobody is refused for
	Destinations []Destination    // whose access changes, by name
	Notes        []string         // of the review itself: a CODEOWNERS that cannot be read, a base that is no ancestor
	Gone         []string         // files that changes point at and that head no longer has, by name
}

// A Destination is touched by a change, and somebody owns it.
type Destination struct {
	Name   string
	Owners []string // as CODEOWNERS has them; empty: nobody is known
}

// A Format is how a review is written.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal
	Markdown Format = "markdown" // for a comment on a pull request, or a job's summary
	JSON     Format = "json"     // for programs
	SARIF    Format = "sarif"    // static analysis results, OASIS SARIF 2.1.0
	GitHub   Format = "github"   // workflow commands: annotations on the lines
	GitLab   Format = "gitlab"   // a code quality report
	JUnit    Format = "junit"    // a test report, which every CI system shows
)

// Formats are all of them, in the order of documentation.
var Formats = []Format{Text, Markdown, JSON, SARIF, GitHub, GitLab, JUnit}

// Options are the reader's. The zero value is ready.
type Options struct {
	Color   bool   // Text: with ANSI colours
	Width   int    // Text: columns; zero: 100
	People  bool   // Text and Markdown: name every person instead of summing groups up
	Limit   int    // Markdown: bytes that the result fits in, at least 1,024; zero: 65,536, a comment on GitHub
	Prefix  string // of the folder of infra.yaml below the root of the Git repository, for the hosts
	Version string // of infra, for SARIF
}

// Render writes a review. The error is the writer's, or says that there is no
// such format.
func Render(w io.Writer, f Format, r Review, o Options) error {
	if o.Width == 0 {
		o.Width = 100
	}
	if o.Limit == 0 {
		o.Limit = 65536
	}
	var out []byte
	switch f {
	case Text:
		out = renderText(r, o)
	case Markdown:
		out = renderMarkdown(r, o)
	case JSON:
		out = renderJSON(r)
	case SARIF:
		out = renderSARIF(r, o)
	case GitHub:
		out = renderGitHub(r, o)
	case GitLab:
		out = renderGitLab(r, o)
	case JUnit:
		out = renderJUnit(r, o)
	default:
		return fmt.Errorf("no format of a review is called %q", f)
	}
	_, err := w.Write(out)
	return err
}
