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
	c := cutter{text: text, current: chunk{file: file, line: 1}}
	number, at := 0, 0
	// begun: the current document has more than directives and comments.
	begun := false
	for line := range bytes.Lines(text) {
		number++
		end := at + len(line)
		if trimmed := bytes.TrimPrefix(line, bom); !begun && len(trimmed) < len(line) {
			// Each document may begin with one (YAML 1.2, 5.2): files are put
			// together as they are.
			line = trimmed
			c.instead(at, end-len(line), nil)
		}
		switch {
		case isMarker(line, "---"):
			// A marker after nothing but directives and comments begins the
			// document that they belong to; either way they say nothing to us.
			chunks = append(chunks, c.end(at))
			c.current, begun = chunk{file: file, line: number}, !blank(line[3:])
			// What follows on the same line keeps its column.
			c.instead(at, end-len(line)+3, []byte("   "))
		case isMarker(line, "..."):
			chunks = append(chunks, c.end(at))
			c.current, begun = chunk{file: file, line: number}, false
			c.instead(at, end, []byte("\n"))
		case bytes.HasPrefix(line, []byte("%")) && !begun:
			c.instead(at, end, []byte("\n"))
		default:
			begun = begun || !blank(line)
		}
		at = end
	}
	chunks = append(chunks, c.end(len(text)))
	filled := chunks[:0]
	for _, c := range chunks {
		if !blank(c.text) {
			filled = append(filled, c)
		}
	}
	return filled
}

// cutter puts chunks together of a text and of what stands in its place. A
// chunk of nothing but the text is a part of it, not a copy.
type cutter struct {
	text    []byte
	current chunk
	// from is where the text begins that is not yet in a chunk.
	from int
}

// instead has something else stand for a part of the text.
func (c *cutter) instead(at, end int, other []byte) {
	c.take(at)
	c.current.text = append(c.current.text, other...)
	c.from = end
}

// end returns the current chunk, which ends there.
func (c *cutter) end(at int) chunk {
	c.take(at)
	return c.current
}

// take puts the text into the current chunk, up to a place.
func (c *cutter) take(to int) {
	if c.from >= to {
		return
	}
	if part := c.text[c.from:to:to]; len(c.current.text) == 0 {
		c.current.text = part
	} else {
		c.current.text = append(c.current.text, part...)
	}
	c.from = to
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
