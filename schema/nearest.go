package schema

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest is the one of the words that someone who wrote text most likely
// meant, or "" where none is near: one wrong, missing, extra or swapped
// character, or another for every four.
func Nearest(text string, words []string) string {
	best, bestAt := "", 0
	if len(text) > maxName {
		return ""
	}
	for _, w := range words {
		if d, ok := distance(text, w); ok && (best == "" || d < bestAt) {
			best, bestAt = w, d
		}
	}
	return best
}

// distance is how far two words are from each other, and whether that is near.
func distance(a, b string) (int, bool) {
	la, lb := strings.ToLower(a), strings.ToLower(b)
	switch {
	case a == b:
		return 0, false
	case la == lb:
		return 0, true
	case swapped(la, lb):
		return 1, true
	}
	limit := max(1, min(len(a), len(b))/4)
	if min(len(a), len(b)) < 3 || max(len(a), len(b))-min(len(a), len(b)) > 4*limit {
		return 0, false
	}
	d := levenshtein.Distance(la, lb, nil)
	return d, d <= limit
}

// swapped says whether two words differ in two neighbours that changed places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// A dictionary finds near words among many without comparing each: words that
// are one character apart, or have two neighbours swapped, are the same after
// one character is left out of either.
type dictionary map[string][]string

func (d dictionary) add(word string) {
	for _, key := range shortened(word) {
		d[key] = append(d[key], word)
	}
}

// nearest is like Nearest over all words that were added, for one mistake in a
// letter: team-1 and team-2 are two teams.
func (d dictionary) nearest(text string) string {
	for _, key := range shortened(text) {
		near := Nearest(text, d[key])
		if near != "" && withoutDigits(near) != withoutDigits(text) {
			return near
		}
	}
	return ""
}

func withoutDigits(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, word)
}

func shortened(word string) []string {
	if len(word) > 64 {
		return nil
	}
	word = strings.ToLower(word)
	keys := make([]string, 0, len(word)+1)
	keys = append(keys, word)
	for i := range len(word) {
		keys = append(keys, word[:i]+word[i+1:])
	}
	return keys
}

// A spelling finds the near one of many known words, and remembers. The words
// are looked at when it is first asked, which most repositories never do.
type spelling struct {
	words []string
	known map[string]bool
	near  dictionary
	said  map[string]string
}

func newSpelling(words []string) *spelling { return &spelling{words: words} }

// of is the known word that is near to one that is not known, "" where none is.
func (s *spelling) of(word string) string {
	if s.has(word) {
		return ""
	}
	near, ok := s.said[word]
	if !ok {
		if s.near == nil {
			s.near, s.said = dictionary{}, map[string]string{}
			for w := range s.known {
				s.near.add(w)
			}
			for key := range s.near {
				slices.Sort(s.near[key])
			}
		}
		near = s.near.nearest(word)
		s.said[word] = near
	}
	return near
}

func (s *spelling) has(word string) bool {
	if s.known == nil {
		s.known = make(map[string]bool, len(s.words))
		for _, w := range s.words {
			s.known[w] = true
		}
	}
	return s.known[word]
}
