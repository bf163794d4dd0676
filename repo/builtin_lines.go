package repo

import (
	"slices"
	"strings"
)

// A textEdit is a run of lines that differ: those of the old text from oldAt to
// oldEnd are replaced by those of the new one from newAt to newEnd. Lines count
// from zero; either run may be empty.
type textEdit struct{ oldAt, oldEnd, newAt, newEnd int }

// mostEdits bounds the work of compare: two texts that differ in more lines than
// this count as differing in all of them, from the first to the last that does.
const mostEdits = 3000

// textLines splits a text, with the line ends.
func textLines(text []byte) []string { return slices.Collect(strings.Lines(string(text))) }

// compare finds the smallest edit that makes one text of another (E. Myers, "An
// O(ND) Difference Algorithm"), and places it as git does: as far down as it goes,
// but beginning with the line that is indented least.
func compare(old, now []string) []textEdit {
	head := 0
	for head < len(old) && head < len(now) && old[head] == now[head] {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(now)-head && old[len(old)-1-tail] == now[len(now)-1-tail] {
		tail++
	}
	kept := shared(old[head:len(old)-tail], now[head:len(now)-tail])
	var edits []textEdit
	at := textEdit{oldAt: head, newAt: head}
	for _, pair := range append(kept, [2]int{len(old) - tail - head, len(now) - tail - head}) {
		at.oldEnd, at.newEnd = head+pair[0], head+pair[1]
		if at.oldAt < at.oldEnd || at.newAt < at.newEnd {
			edits = append(edits, at)
		}
		at.oldAt, at.newAt = at.oldEnd+1, at.newEnd+1
	}
	for i := range edits {
		oldLimit, newLimit := len(old), len(now)
		if i+1 < len(edits) {
			oldLimit, newLimit = edits[i+1].oldAt, edits[i+1].newAt
		}
		from := textEdit{}
		if i > 0 {
			from = edits[i-1]
		}
		edits[i] = edits[i].placed(old, now, from, oldLimit, newLimit)
	}
	return edits
}

// shared are the pairs of lines that a smallest edit keeps, in order.
func shared(old, now []string) [][2]int {
	n, m := len(old), len(now)
	if n == 0 || m == 0 {
		return nil
	}
	most := min(n+m, mostEdits)
	reach := make([]int, 2*most+3) // by diagonal, how far along the old text one gets
	zero := most + 1
	var trace [][]int
	for d := 0; d <= most; d++ {
		trace = append(trace, slices.Clone(reach[zero-d:zero+d+1]))
		for k := -d; k <= d; k += 2 {
			x := reach[zero+k-1] + 1
			if k == -d || k != d && reach[zero+k-1] < reach[zero+k+1] {
				x = reach[zero+k+1]
			}
			if d == 0 {
				x = 0
			}
			for x < n && x-k < m && old[x] == now[x-k] {
				x++
			}
			reach[zero+k] = x
			if x >= n && x-k >= m {
				return pairs(trace, n, m)
			}
		}
	}
	return nil
}

// pairs walks the way back that shared found.
func pairs(trace [][]int, x, y int) [][2]int {
	var out [][2]int
	for d := len(trace) - 1; d >= 0; d-- {
		k := x - y
		px, py := 0, 0
		if d > 0 {
			at := func(k int) int { // after d-1 edits
				if k < -(d-1) || k > d-1 {
					return -1
				}
				return trace[d][k+d]
			}
			prev := k - 1
			if k == -d || k != d && at(k-1) < at(k+1) {
				prev = k + 1
			}
			px = at(prev)
			py = px - prev
		}
		for x > px && y > py {
			x, y = x-1, y-1
			out = append(out, [2]int{x, y})
		}
		x, y = px, py
	}
	slices.Reverse(out)
	return out
}

// placed slides an edit that only adds or only removes lines, where the same lines
// stand before or after it.
func (e textEdit) placed(old, now []string, after textEdit, oldLimit, newLimit int) textEdit {
	lines, at, end := now, e.newAt, e.newEnd
	low, limit := after.newEnd, newLimit
	if e.newAt == e.newEnd {
		lines, at, end = old, e.oldAt, e.oldEnd
		low, limit = after.oldEnd, oldLimit
	} else if e.oldAt != e.oldEnd {
		return e
	}
	move := 0
	for at+move > low && lines[at+move-1] == lines[end+move-1] {
		move--
	}
	best := move
	for ; ; move++ {
		if indentOf(lines[at+move]) <= indentOf(lines[at+best]) {
			best = move
		}
		if end+move >= limit || lines[at+move] != lines[end+move] {
			break
		}
	}
	return textEdit{e.oldAt + best, e.oldEnd + best, e.newAt + best, e.newEnd + best}
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
