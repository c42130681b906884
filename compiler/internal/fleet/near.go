// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"
	"strings"
)

// maxEdits is how far a name may be from another to be taken for a slip: two
// edits turn most typing mistakes back, three already match unrelated words.
const maxEdits = 2

// suggest proposes the nearest of the names, or lists them.
func suggest(name string, names []string) string {
	if best := nearest(name, names); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "there are " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// nearest returns the nearest of the names, empty where none is near.
func nearest(name string, names []string) string {
	best, least := "", maxEdits+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := distance(name, n); d < least && d < len(name) {
			best, least = n, d
		}
	}
	return best
}

// distance counts the edits between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
