// SPDX-License-Identifier: Apache-2.0

package source

import "strings"

// Nearest returns the candidate that a word was probably meant to be: the same
// but for case, dashes or number, with few letters wrong, missing, added or
// swapped, or the only one that it begins, or that begins it. It returns false
// when nothing is near or two are equally near.
func Nearest(word string, candidates []string) (string, bool) {
	if best, ok, near := slip(word, candidates); near {
		return best, ok
	}
	return begun(word, candidates)
}

// slip finds the candidate that a slip of the fingers made a word of; near tells
// whether there is any, also where there are several.
func slip(word string, candidates []string) (best string, ok, near bool) {
	bestDistance, ties := maxWord, 0
	for _, c := range candidates {
		d := apart(word, c)
		switch {
		case d < bestDistance:
			best, bestDistance, ties = c, d, 0
		case d == bestDistance && c != best:
			ties++
		}
	}
	// One slip in a short word, two in a longer one.
	allowed := 1
	if len(word) > 5 {
		allowed = 2
	}
	near = bestDistance <= allowed && bestDistance < len(word)
	return best, near && ties == 0, near
}

// apart is the distance of two words, 0 where they are the same word written in
// another way, and far where only their digits differ: cluster1 is no slip for
// cluster2.
func apart(word, candidate string) int {
	if plainWord(word) == plainWord(candidate) {
		return 0
	}
	if otherNumber(word, candidate) {
		return maxWord
	}
	return distance(strings.ToLower(word), strings.ToLower(candidate))
}

// plainWord is a word in lower case and the singular, without dashes.
func plainWord(word string) string {
	word = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	if stem, ok := strings.CutSuffix(word, "es"); ok && strings.HasSuffix(stem, "ch") {
		return stem
	}
	return strings.TrimSuffix(word, "s")
}

// otherNumber tells whether words differ in nothing but the value of digits.
func otherNumber(a, b string) bool {
	letters, digits := parts(a)
	others, number := parts(b)
	return letters == others && len(digits) == len(number) && digits != number
}

// parts are the letters and the digits of a word.
func parts(word string) (letters, digits string) {
	keep := func(wanted bool) string {
		return strings.Map(func(r rune) rune {
			if (r >= '0' && r <= '9') == wanted {
				return r
			}
			return -1
		}, word)
	}
	return keep(false), keep(true)
}

// minBegun is how many letters say what word was begun.
const minBegun = 4

// begun finds the only candidate that a word begins, or that begins it.
func begun(word string, candidates []string) (string, bool) {
	word, found, times := strings.ToLower(word), "", 0
	for _, c := range candidates {
		if low := strings.ToLower(c); !otherNumber(word, low) && min(len(low), len(word)) >= minBegun && (strings.HasPrefix(low, word) || strings.HasPrefix(word, low)) {
			found = c
			times++
		}
	}
	return found, times == 1
}

// maxWord bounds the words that are compared; no name of ours is longer.
const maxWord = 64

// distance counts the letters that must be changed, added, dropped or swapped
// with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return maxWord
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last = last, row
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// maxGuesses bounds the words of a document that are compared with others; who
// has more of them wrong does not need to be told what was meant.
const maxGuesses = 100

// guess is Nearest, for the first words of a document.
func (c *checker) guess(word string, candidates []string) (string, bool) {
	if c.guesses++; c.guesses > maxGuesses {
		return "", false
	}
	return Nearest(word, candidates)
}
