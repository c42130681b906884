// SPDX-License-Identifier: Apache-2.0

package show

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/fairlead/fairlead/compiler/diag"
)

// cell is a character as it is shown.
type cell struct {
	text string
	// width in cells of a terminal.
	width int
}

const (
	// tab is how a tab is shown: YAML forbids it where people use it most, and
	// spaces would hide it.
	tab = "→   "
	// gap stands for what is left out of a long line.
	gap = "…"
)

// cellOf returns how a character is shown: what cannot be seen, or would move
// the cursor, as an escape.
func cellOf(r rune) cell {
	switch {
	case r == '\t':
		return cell{tab, 4}
	case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
		escaped := strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		return cell{escaped, len(escaped)}
	case unicode.In(r, unicode.Mn, unicode.Me):
		return cell{string(r), 0}
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return cell{string(r), 2}
	}
	return cell{string(r), 1}
}

// Visible makes a text one line of visible characters.
func Visible(text string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if plain(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return out.String()
}

// window returns the part of an excerpt that fits into room cells and holds
// the first of two columns, how many cells stand before it, and how many are to
// be marked, up to the second column. A first column of 0 means the whole line.
func window(e diag.Excerpt, columns [2]int, room int) (shown string, indent, length int) {
	var cells []cell
	for _, r := range e.Text {
		cells = append(cells, cellOf(r))
	}
	start, end := columns[0]-e.First, columns[1]-e.First
	if columns[0] == 0 {
		start, end = len(cells)-len([]rune(strings.TrimLeft(e.Text, " \t"))), len(cells)
	}
	start = min(max(start, 0), len(cells))
	end = min(max(end, start), len(cells))
	from, to := fit(cells, start, room)
	var b strings.Builder
	if from > 0 || e.First > 1 {
		b.WriteString(gap)
		indent = 1
	}
	for i, c := range cells[from:to] {
		b.WriteString(c.text)
		switch at := from + i; {
		case at < start:
			indent += c.width
		case at < end:
			length += c.width
		}
	}
	if to < len(cells) || e.Cut {
		b.WriteString(gap)
	}
	return b.String(), indent, max(1, length)
}

// fit chooses the cells around start that fit into room: all of them, or about
// half the room before start and the rest behind it.
func fit(cells []cell, start, room int) (from, to int) {
	total := 0
	for _, c := range cells {
		total += c.width
	}
	if start == len(cells) {
		total++ // the mark behind the end
	}
	if total <= room {
		return 0, len(cells)
	}
	used := 2 // the gaps
	for from = start; from > 0 && used+cells[from-1].width <= room/2; from-- {
		used += cells[from-1].width
	}
	for to = start; to < len(cells) && used+cells[to].width <= room; to++ {
		used += cells[to].width
	}
	return from, to
}
