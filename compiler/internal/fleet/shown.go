// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"strconv"
	"strings"
)

// shownBytes is how much of a text of somebody's is shown: more than an
// address, a name or a key has.
const shownBytes = 64

// shown writes what a cluster says of itself so that it can stand in a line:
// as it is where it is plain, otherwise quoted, and cut where it is long.
func shown(text string) string {
	cut := text
	if len(cut) > shownBytes {
		cut = cut[:shownBytes] + "…"
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }
	if cut == "" || strings.ContainsFunc(strings.TrimSuffix(cut, "…"), odd) {
		return strconv.QuoteToASCII(cut)
	}
	return cut
}
