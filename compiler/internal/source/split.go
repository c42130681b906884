// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"

	"github.com/fairlead/fairlead/compiler/diag"
)

// chunk is the text of one YAML document and where it begins in its file.
type chunk struct {
	file string
	// line of the file that the first line of text is, from 1.
	line int
	text []byte
}

// at places a line and column of the chunk in its file.
func (c chunk) at(line, column int) diag.Position {
	return diag.Position{File: c.file, Line: c.line + line - 1, Column: column}
}

// split cuts a file at the lines that YAML calls document markers. The markers
// hold at the beginning of a line even inside block scalars (YAML 1.2, 9.1.1),
// so cutting needs no parser, and a broken document hides no mistake of
// the others.
func split(file string, text []byte) []chunk {
	var chunks []chunk
	current := chunk{file: file, line: 1}
	number := 0
	// begun: the current document has more than directives and comments.
	begun := false
	for line := range bytes.Lines(text) {
		number++
		if !begun {
			// Each document may begin with one (YAML 1.2, 5.2): files are put
			// together as they are.
			line = bytes.TrimPrefix(line, bom)
		}
		switch {
		case isMarker(line, "---"):
			// A marker after nothing but directives and comments begins the
			// document that they belong to; either way they say nothing to us.
			chunks = append(chunks, current)
			current, begun = chunk{file: file, line: number}, false
			// What follows on the same line keeps its column.
			line = append([]byte("   "), line[3:]...)
		case isMarker(line, "..."):
			chunks = append(chunks, current)
			current, begun = chunk{file: file, line: number}, false
			line = []byte("\n")
		case line[0] == '%' && !begun:
			line = []byte("\n")
		}
		begun = begun || !blank(line)
		current.text = append(current.text, line...)
	}
	chunks = append(chunks, current)
	filled := chunks[:0]
	for _, c := range chunks {
		if !blank(c.text) {
			filled = append(filled, c)
		}
	}
	return filled
}

// isMarker tells whether a line is a document marker: three characters at the
// beginning, then white space or nothing.
func isMarker(line []byte, marker string) bool {
	rest, found := bytes.CutPrefix(line, []byte(marker))
	return found && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// blank tells whether text has nothing but white space and comments.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}
