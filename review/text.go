package review

import (
	"fmt"
	"strings"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// renderText writes a review for a terminal: columns that fit Options.Width, and
// beside them, wrapped, what else there is to say. What refuses the change comes
// last, where a terminal's reader looks first.
func renderText(r Review, o Options) []byte {
	t := &textWriter{width: max(o.Width, 40), color: o.Color}
	ofAccess, others := split(gathered(fold(r.Changes, o.People)))
	t.head(r)
	t.lines("", ofAccess)
	t.lines("Other changes", others)
	t.destinations(r)
	t.problems("The base has errors, so everything is shown as new", r.BaseProblems)
	t.problems("Problems", r.Problems)
	t.standing(r.Standing)
	t.refusals(r.refused())
	if v := r.verdict(); len(v) > 0 {
		t.WriteString("\n")
		t.paragraph(v.plain(), red)
	}
	return []byte(t.String())
}

type textWriter struct {
	strings.Builder
	width int
	color bool
}

// The colours, as ECMA-48 "select graphic rendition" writes them.
const (
	bold   = "1"
	red    = "31;1"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

var symbolColors = map[string]string{"!": red, "+": green, "-": yellow, "~": cyan}

func (t *textWriter) paint(color, text string) string {
	if !t.color || color == "" || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// paragraph writes text, wrapped.
func (t *textWriter) paragraph(text, color string) {
	for _, l := range wrap(text, t.width) {
		fmt.Fprintf(t, "%s\n", t.paint(color, l))
	}
}

func (t *textWriter) heading(text string) {
	t.WriteString("\n")
	t.paragraph(text, bold)
}

// head is the review in a sentence or two.
func (t *textWriter) head(r Review) {
	text := r.summary()
	if text != noChange || len(r.Destinations) > 0 {
		text += "."
	}
	if len(r.Destinations) > 0 {
		text += " Destinations: " + r.touched(few, everyOwner).plain() + "."
	}
	t.paragraph(text, bold)
	for _, n := range r.Notes {
		t.paragraph("note: "+harmless(n), "")
	}
}

// destinations has all where the head has not.
func (t *textWriter) destinations(r Review) {
	if len(r.Destinations) > few {
		t.heading(destinationsTitle)
		t.item(schema.Pos{}, r.touched(len(r.Destinations), everyOwner).plain())
	}
}

// destinationsTitle is over the destinations of which the head has a few alone.
const destinationsTitle = "Destinations whose access changes"

// lines writes lines in columns: symbol, what and whom, and what else there is to
// say of it.
func (t *textWriter) lines(heading string, lines []line) {
	if len(lines) == 0 {
		return
	}
	if heading == "" {
		t.WriteString("\n")
	} else {
		t.heading(heading)
	}
	rows := make([]textRow, len(lines))
	for i, l := range lines {
		rows[i] = textRow{symbol: l.symbol(), cells: l.cells(), place: l.from().plain()}
		if _, all := l.where(); len(all) > 0 {
			rows[i].notes = append(rows[i].notes, all.plain())
		}
		for _, n := range l.detail() {
			rows[i].notes = append(rows[i].notes, n.plain())
		}
	}
	t.rows(rows)
}

// cells are what stands in columns.
func (l line) cells() []string {
	if l.Kind.OfAccess() {
		where, _ := l.where()
		return []string{l.who().plain(), l.verb(), plainName(l.Role), where.plain()}
	}
	name := ""
	if l.Name != "" {
		name = plainName(l.Name)
	}
	return []string{string(l.Kind), name}
}

type textRow struct {
	symbol string
	cells  []string
	notes  []string
	place  string
}

// How the columns are laid out: no cell makes the others of its column wider
// than cellWidth, and notes have at least notesWidth.
const (
	symbolWidth = 3
	cellWidth   = 36
	notesWidth  = 42
	notesIndent = 7
)

func (t *textWriter) rows(rows []textRow) {
	var widths []int
	for _, r := range rows {
		for i, c := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if w := columns(c); w <= cellWidth {
				widths[i] = max(widths[i], w)
			}
		}
	}
	left := symbolWidth
	for _, w := range widths {
		left += w + 2
	}
	beside := t.width-left >= notesWidth // there is room for notes beside the cells
	for _, r := range rows {
		var cells strings.Builder
		used := symbolWidth
		for i, c := range r.cells {
			pad := max(widths[i]-columns(c), 0) + 2
			if i == len(r.cells)-1 && !beside {
				pad = 0
			}
			cells.WriteString(c + blanks(pad))
			used += columns(c) + pad
		}
		start := t.paint(symbolColors[r.symbol], r.symbol) + blanks(symbolWidth-1)
		if beside && used <= left {
			for i, n := range t.noted(r, t.width-left) {
				if i == 0 {
					fmt.Fprintln(t, trimmed(start+cells.String()+blanks(left-used)+n))
				} else {
					fmt.Fprintln(t, trimmed(blanks(left)+n))
				}
			}
			continue
		}
		for i, l := range wrap(strings.TrimRight(cells.String(), " "), t.width-symbolWidth) {
			if i == 0 {
				fmt.Fprintln(t, trimmed(start+l))
			} else {
				fmt.Fprintln(t, trimmed(blanks(symbolWidth)+l))
			}
		}
		for _, n := range t.noted(r, t.width-notesIndent) {
			if n != "" {
				fmt.Fprintln(t, trimmed(blanks(notesIndent)+n))
			}
		}
	}
}

func trimmed(s string) string { return strings.TrimRight(s, " ") }

// noted are the notes of a row in lines of a width, a note not cut where it fits
// into a line, and the place at the end. There is always one line.
func (t *textWriter) noted(r textRow, width int) []string {
	var out []string
	current := ""
	for i, n := range r.notes {
		if i < len(r.notes)-1 {
			n += ";"
		}
		switch {
		case current == "":
			current = n
		case columns(current)+1+columns(n) <= width:
			current += " " + n
		default:
			out, current = append(out, wrap(current, width)...), n
		}
	}
	out = append(out, wrap(current, width)...)
	if r.place == "" {
		return out
	}
	last := &out[len(out)-1]
	switch room := width - columns(*last) - columns(r.place); {
	case *last == "":
		*last = t.paint(cyan, r.place)
	case room >= 3:
		*last += "   " + t.paint(cyan, r.place)
	default:
		out = append(out, t.paint(cyan, r.place))
	}
	return out
}

func (t *textWriter) problems(heading string, problems schema.Problems) {
	if len(problems) == 0 {
		return
	}
	t.heading(heading)
	for _, p := range problems {
		severity := ""
		if p.Severity == schema.Warning {
			severity = "warning: "
		}
		t.item(p.Pos, severity+harmless(p.Message))
	}
}

// item is `path:line:column: message`, which editors and terminals know how to
// open.
func (t *textWriter) item(p schema.Pos, message string) {
	if p != (schema.Pos{}) {
		message = harmless(p.String()) + ": " + message
	}
	for i, l := range wrap(message, t.width-4) {
		fmt.Fprintf(t, "%s%s\n", blanks(2+2*min(i, 1)), l)
	}
}

// refusals writes what is against the change, each rule with the way out.
func (t *textWriter) refusals(rules []refusedRule) {
	for _, r := range rules {
		t.WriteString("\n")
		t.paragraph(r.title().plain(), red)
		for _, f := range r.refusals {
			t.item(f.Pos, harmless(f.Message))
		}
		if r.hint != "" {
			t.hint(r.hint)
		}
	}
}

func (t *textWriter) hint(text string) {
	for i, l := range wrap(harmless(text), t.width-8) {
		if i == 0 {
			fmt.Fprintf(t, "  %s %s\n", t.paint(cyan, "hint:"), l)
		} else {
			fmt.Fprintf(t, "%s%s\n", blanks(8), l)
		}
	}
}

func (t *textWriter) standing(standing []policy.Refusal) {
	if len(standing) == 0 {
		return
	}
	t.heading(standingTitle)
	for _, f := range standing {
		t.item(f.Pos, say(named(string(f.Rule)), ": ", part{sentence, f.Message}).plain())
	}
}

// standingTitle is over what nobody is refused for.
const standingTitle = "Already against this revision's own policy: reported, not refused"
