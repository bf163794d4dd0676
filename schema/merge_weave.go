package schema

import (
	"cmp"
	"slices"
	"sort"
)

// A strand is one part of the result: where it is in the base, in ours and in
// theirs; -1 where it is not.
type strand struct{ base, ours, theirs int }

// weave puts the parts of two sides into one order. What a side added comes
// after what it stands behind there; where both added something at one place,
// ours comes first. What a side took away is gone: whether it may be is not
// asked here. It is false where both changed the same comment.
func weave(base, ours, theirs []part) ([]strand, bool) {
	o, t := align(base, ours), align(base, theirs)
	inBase, inOurs, inTheirs := index(base), index(ours), index(theirs)
	find := func(in map[string]int, p part) int {
		if at, ok := in[p.id]; ok && !p.note {
			return at
		}
		return -1
	}
	var out []strand
	var lost, oursNotes, theirsNotes int // since both last agreed
	for gap := range len(base) + 1 {
		var noted []string
		for _, i := range o.added[gap] {
			if ours[i].note {
				noted = append(noted, ours[i].id)
			}
		}
		oursNotes += len(noted)
		rest := t.added[gap]
		fromTheirs := func(n int) {
			for _, i := range rest[:n] {
				p := theirs[i]
				s := strand{find(inBase, p), find(inOurs, p), i}
				switch at := slices.Index(noted, p.id); {
				case p.note && at >= 0: // both added the same comment
					noted = slices.Delete(noted, at, at+1)
					oursNotes--
				case p.note:
					theirsNotes++
					out = append(out, s)
				case s.ours >= 0 && (s.base < 0 || o.matched[s.base] < 0): // ours added or moved it too
				case s.base >= 0 && s.ours < 0: // theirs moved it, ours took it away
				default:
					out = append(out, s)
				}
			}
			rest = rest[n:]
		}
		for _, i := range o.added[gap] {
			p := ours[i]
			s := strand{find(inBase, p), i, find(inTheirs, p)}
			if s.base >= 0 && s.theirs < 0 {
				continue // ours moved it, theirs took it away
			}
			if at := slices.Index(rest, s.theirs); at >= 0 { // both added it: with the comments that both wrote above it
				fromTheirs(at)
			}
			out = append(out, s)
		}
		fromTheirs(len(rest))
		if gap == len(base) {
			break
		}
		switch i, j := o.matched[gap], t.matched[gap]; {
		case i >= 0 && j >= 0:
			if lost > 0 && oursNotes > 0 && theirsNotes > 0 {
				return nil, false
			}
			lost, oursNotes, theirsNotes = 0, 0, 0
			out = append(out, strand{gap, i, j})
		case base[gap].note && i < 0 && j < 0:
			lost++
		}
	}
	return out, lost == 0 || oursNotes == 0 || theirsNotes == 0
}

// An alignment says which parts of the base a side has kept in their order, and
// what it has besides.
type alignment struct {
	matched []int   // by part of the base; -1: taken away or moved
	added   [][]int // by the part of the base in front of which they are
}

func align(base, side []part) alignment {
	a := alignment{matched: make([]int, len(base)), added: make([][]int, len(base)+1)}
	at := index(side)
	var from, to []int // parts that are in both, as the base has them
	for i, p := range base {
		a.matched[i] = -1
		if j, ok := at[p.id]; ok && !p.note {
			from, to = append(from, i), append(to, j)
		}
	}
	lastBase, lastSide := -1, -1
	for _, k := range increasing(to) {
		a.comments(base, side, lastBase+1, from[k], lastSide+1, to[k])
		lastBase, lastSide = from[k], to[k]
		a.matched[lastBase] = lastSide
	}
	a.comments(base, side, lastBase+1, len(base), lastSide+1, len(side))
	of := make([]int, len(side)) // by part of the side
	for i, j := range a.matched {
		if j >= 0 {
			of[j] = i + 1
		}
	}
	gap := 0
	for j, i := range of {
		if i > 0 {
			gap = i
		} else {
			a.added[gap] = append(a.added[gap], j)
		}
	}
	return a
}

// maxComments bounds the table that comparing two runs of comments needs.
const maxComments = 1 << 20

// comments matches the comments of two stretches that are the same: the longest
// common subsequence.
func (a *alignment) comments(base, side []part, b0, b1, s0, s1 int) {
	if (b1-b0)*(s1-s0) > maxComments {
		return
	}
	same := func(i, j int) bool { return base[i].note && side[j].note && base[i].id == side[j].id }
	width := s1 - s0 + 1
	length := make([]int, (b1-b0+1)*width)
	for i := b1 - 1; i >= b0; i-- {
		for j := s1 - 1; j >= s0; j-- {
			here := (i-b0)*width + j - s0
			if same(i, j) {
				length[here] = length[here+width+1] + 1
			} else {
				length[here] = max(length[here+width], length[here+1])
			}
		}
	}
	for i, j := b0, s0; i < b1 && j < s1; {
		here := (i-b0)*width + j - s0
		switch {
		case same(i, j):
			a.matched[i] = j
			i, j = i+1, j+1
		case length[here+width] >= length[here+1]:
			i++
		default:
			j++
		}
	}
}

// increasing are the indexes of a longest increasing subsequence.
func increasing(values []int) []int {
	var tails []int // index of the least last value of a subsequence, by its length
	before := make([]int, len(values))
	for i, v := range values {
		n := sort.Search(len(tails), func(n int) bool { return values[tails[n]] >= v })
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]int, len(tails))
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, before[i] {
		out[n] = i
	}
	return out
}

// index is where the parts are, but for comments.
func index(parts []part) map[string]int {
	at := map[string]int{}
	for i, p := range parts {
		if !p.note {
			at[p.id] = i
		}
	}
	return at
}

// inOrder moves what one side alone has to where it keeps the list in the order
// that the other one has: that of ours, else the one that theirs brought in.
func inOrder(strands []strand, base, ours, theirs []part) []strand {
	order, foreign := orderOf(ours), func(s strand) bool { return s.ours < 0 }
	if order == nil {
		order, foreign = orderOf(theirs), func(s strand) bool { return s.theirs < 0 }
		if order == nil || slices.IsSortedFunc(items(base), order) {
			return strands
		}
	}
	of := func(s strand) *node {
		if s.ours >= 0 {
			return ours[s.ours].value
		}
		return theirs[s.theirs].value
	}
	isNote := func(s strand) bool { return of(s) == nil }
	if slices.IsSortedFunc(slices.DeleteFunc(slices.Clone(strands), isNote), func(a, b strand) int { return order(of(a), of(b)) }) {
		return strands
	}
	var kept []strand
	var added [][]strand // each an item, with the comments above it
	for i := 0; i < len(strands); {
		end := i
		for end < len(strands) && foreign(strands[end]) && isNote(strands[end]) {
			end++
		}
		if end < len(strands) && foreign(strands[end]) {
			added = append(added, strands[i:end+1])
			i = end + 1
			continue
		}
		end = max(end, i+1)
		kept = append(kept, strands[i:end]...)
		i = end
	}
	item := func(unit []strand) *node { return of(unit[len(unit)-1]) }
	slices.SortStableFunc(added, func(a, b []strand) int { return order(item(a), item(b)) })
	var out, notes []strand
	for _, s := range kept {
		if isNote(s) {
			notes = append(notes, s)
			continue
		}
		for len(added) > 0 && order(of(s), item(added[0])) > 0 {
			out, added = append(out, added[0]...), added[1:]
		}
		out, notes = append(append(out, notes...), s), nil
	}
	for _, unit := range added {
		out = append(out, unit...)
	}
	return append(out, notes...)
}

// items are the entries of a list, without comments.
func items(parts []part) []*node {
	var out []*node
	for _, p := range parts {
		if !p.note {
			out = append(out, p.value)
		}
	}
	return out
}

// orderOf is the order that a list of at least two entries is in, nil where it
// is in none. Grants have the orders of placeOfGrant.
func orderOf(parts []part) func(a, b *node) int {
	items := items(parts)
	if len(items) < 2 {
		return nil
	}
	one := parts[slices.IndexFunc(parts, func(p part) bool { return !p.note })]
	if one.key != nil {
		return nil // the pairs of a mapping
	}
	by := func(keys ...string) func(a, b *node) int {
		return func(a, b *node) int {
			for _, k := range keys {
				if c := cmp.Compare(sortText(a, k), sortText(b, k)); c != 0 {
					return c
				}
			}
			return 0
		}
	}
	orders := []func(a, b *node) int{by("name")}
	if one.name == string(grantsFile) {
		orders = []func(a, b *node) int{
			by("subject", "resource", "role"), by("kind", "subject", "resource", "role"), by("resource", "subject", "role"),
			by("resource", "kind", "subject", "role"), by("role", "subject", "resource"),
			by("subject"), by("kind", "subject"), by("resource"),
		}
	}
	for _, order := range orders {
		if slices.IsSortedFunc(items, order) && order(items[0], items[len(items)-1]) != 0 {
			return order
		}
	}
	return nil
}

// sortText is what an entry is sorted by: the value of one of its keys, or what
// kind of subject it names; of a text, itself.
func sortText(n *node, key string) string {
	if n.Kind == scalarNode {
		return n.Value
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i].Value
		switch {
		case key == "kind" && styleKey(k) == "subject":
			return k
		case k == key || key == "subject" && styleKey(k) == "subject":
			return n.Content[i+1].Value
		}
	}
	return ""
}
