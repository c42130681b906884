// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"slices"
	"strings"
)

const (
	// maxText bounds how much of a file is read for its lines: a file with
	// documents of ours may have 1 MiB, and of larger ones no line is named.
	maxText = 1 << 20
	// maxExcerpt bounds, in characters on each side of the column, what an
	// excerpt keeps of a line: more than two lines of any terminal.
	maxExcerpt = 300
	// maxSpan bounds, in characters, how far is looked for the end of a value,
	// and before it for a bracket: a line may have a megabyte and a mistake in
	// each word of it.
	maxSpan = 2000
)

// Locate gives the diagnostics, and what they relate to, the lines that they
// speak of. What it cannot read or does not find stays without. Positions keep
// their place; files must be those that the positions name.
func Locate(files fs.FS, ds []Diagnostic) {
	byFile := map[string][]spot{}
	add := func(s spot) {
		if s.at.Line > 0 {
			byFile[s.at.File] = append(byFile[s.at.File], s)
		}
	}
	for i := range ds {
		d := &ds[i]
		add(spot{d.Position, &d.Excerpt, &d.EndColumn})
		for j := range d.Related {
			r := &d.Related[j]
			add(spot{r.Position, &r.Excerpt, &r.EndColumn})
		}
	}
	for name, spots := range byFile {
		slices.SortFunc(spots, func(a, b spot) int { return cmp.Compare(a.at.Line, b.at.Line) })
		fill(readText(files, name), spots)
	}
}

// spot is a position and where to write what stands there.
type spot struct {
	at      Position
	excerpt *Excerpt
	end     *int
}

// readText returns the beginning of a file, nothing where it cannot be read.
func readText(files fs.FS, name string) []byte {
	f, err := files.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	// What was read before a fault is shown all the same.
	text, _ := io.ReadAll(io.LimitReader(f, maxText))
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	// A carriage return alone ends a line as well (YAML 1.2, section 5.4).
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}

// fill takes the lines of the spots, sorted by line, from a text.
func fill(text []byte, spots []spot) {
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		if len(spots) == 0 {
			return
		}
		if spots[0].at.Line != number {
			continue
		}
		line := []rune(strings.TrimSuffix(string(raw), "\n"))
		for len(spots) > 0 && spots[0].at.Line == number {
			spots[0].take(line)
			spots = spots[1:]
		}
	}
}

// take notes the line that a spot is in. A column behind the end of the line
// means that the position is not of this text.
func (s spot) take(line []rune) {
	if s.at.Column > len(line)+1 {
		return
	}
	from := max(0, s.at.Column-1-maxExcerpt)
	to := min(len(line), from+2*maxExcerpt)
	*s.excerpt = Excerpt{Text: string(line[from:to]), First: from + 1, Cut: to < len(line)}
	if s.at.Column > 0 && *s.end == 0 {
		from := max(0, s.at.Column-1-maxSpan)
		near := line[from:min(len(line), s.at.Column-1+maxSpan)]
		*s.end = from + endOf(near, s.at.Column-1-from) + 1
	}
}

// endOf returns the index after the last character of the YAML value, or the
// key, that begins at an index of a line. Of a value over several lines it is
// the end of the line.
func endOf(line []rune, start int) int {
	end := trimBlank(line, start, len(line))
	if start >= end {
		return start
	}
	switch line[start] {
	case '"', '\'':
		return min(end, endOfQuoted(line, start))
	case '[', '{':
		return min(end, endOfBrackets(line, start))
	}
	return min(end, endOfPlain(line, start))
}

// endOfQuoted finds the end of a value in quotes.
func endOfQuoted(line []rune, start int) int {
	quote := line[start]
	for i := start + 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && quote == '"':
			i++
		case line[i] == quote:
			return i + 1
		}
	}
	return len(line)
}

// endOfBrackets finds the bracket that closes the one at start.
func endOfBrackets(line []rune, start int) int {
	depth := 0
	for i := start; i < len(line); i++ {
		switch line[i] {
		case '"', '\'':
			i = endOfQuoted(line, i) - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(line)
}

// endOfPlain finds what ends a word without quotes: a colon or a comment, and
// inside brackets a comma or a bracket.
func endOfPlain(line []rune, start int) int {
	inBrackets := strings.ContainsAny(string(line[:start]), "[{")
	for i := start; i < len(line); i++ {
		after := i+1 == len(line) || isBlank(line[i+1])
		switch r := line[i]; {
		case r == ':' && (after || inBrackets && strings.ContainsRune(",[]{}", line[i+1])) && i > start,
			r == '#' && i > start && isBlank(line[i-1]),
			inBrackets && (r == ',' || r == ']' || r == '}') && i > start:
			return trimBlank(line, start, i)
		}
	}
	return len(line)
}

func trimBlank(line []rune, start, end int) int {
	for end > start && isBlank(line[end-1]) {
		end--
	}
	return end
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }
