// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible writes what can be seen, and everything else as escapes: a report has
// names that clusters gave, and none of them may move a cursor or hide a line.
type visible struct{ to io.Writer }

// Write implements io.Writer. Lines and tabs are kept.
func (v visible) Write(text []byte) (int, error) {
	hidden := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	if utf8.Valid(text) && !strings.ContainsFunc(string(text), hidden) {
		return v.to.Write(text)
	}
	var out strings.Builder
	for _, r := range string(text) {
		if !hidden(r) {
			out.WriteRune(r)
			continue
		}
		escaped := strconv.QuoteRuneToASCII(r)
		out.WriteString(escaped[1 : len(escaped)-1])
	}
	if _, err := io.WriteString(v.to, out.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}
