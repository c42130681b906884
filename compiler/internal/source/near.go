// SPDX-License-Identifier: Apache-2.0

package source

import "strings"

// nearest returns the candidate that a word was probably meant to be: the same
// but for case, or with few letters wrong, missing, added or swapped. It
// returns false when nothing is near or two are equally near.
func nearest(word string, candidates []string) (string, bool) {
	best, bestDistance, ties := "", len(word), 0
	for _, c := range candidates {
		d := distance(strings.ToLower(word), strings.ToLower(c))
		switch {
		case d < bestDistance:
			best, bestDistance, ties = c, d, 0
		case d == bestDistance:
			ties++
		}
	}
	// One slip in a short word, two in a longer one.
	allowed := 1
	if len(word) > 5 {
		allowed = 2
	}
	return best, bestDistance <= allowed && ties == 0 && best != ""
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
