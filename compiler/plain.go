// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/fairlead/fairlead/compiler/diag"
)

// longestMessage in bytes: some lines of a terminal. What is longer holds a
// text that a cluster made long.
const longestMessage = 1000

// plain makes a text one line of visible characters. Clusters name what
// messages speak of, and a name must not move a cursor or look like a line of
// ours.
func plain(text string) string {
	cut := text
	if len(cut) > longestMessage {
		cut = strings.ToValidUTF8(cut[:longestMessage], "") + "…"
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if !strings.ContainsFunc(cut, hidden) {
		return cut
	}
	var out strings.Builder
	for _, r := range cut {
		if hidden(r) {
			escaped := strconv.QuoteRuneToASCII(r)
			out.WriteString(escaped[1 : len(escaped)-1])
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// plain makes every text that may speak of what was observed one line.
func (r *Result) plain() {
	for i := range r.Pending {
		r.Pending[i].Message = plain(r.Pending[i].Message)
	}
	for i := range r.Held {
		r.Held[i].Message = plain(r.Held[i].Message)
	}
	for i := range r.Quarantined {
		q := &r.Quarantined[i]
		q.Fact, q.Message = plain(q.Fact), plain(q.Message)
	}
}

// plainWarnings does the same for warnings, which speak of what was observed;
// errors speak of files alone.
func plainWarnings(diags []diag.Diagnostic) {
	for i, d := range diags {
		if d.Severity == diag.Warning {
			diags[i].Message = plain(d.Message)
		}
	}
}
