// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// transcoder writes YAML of the JSON that writeJSON wrote: without white space,
// with its keys in order.
type transcoder struct {
	yamlWriter
	in []byte
}

// toYAML returns what writeYAML returns for the value that the JSON is of.
func toYAML(text []byte) []byte {
	t := transcoder{in: text}
	if string(text) == "{}" {
		return []byte("{}\n")
	}
	// Indentation takes a little more than braces and quotes.
	t.out = make([]byte, 0, len(text)+len(text)/4)
	t.mapping(0, false)
	return t.out
}

// next takes a character.
func (t *transcoder) next() byte {
	c := t.in[0]
	t.in = t.in[1:]
	return c
}

// mapping writes the fields after an opening brace.
func (t *transcoder) mapping(depth int, inline bool) {
	t.next()
	for first := true; first || t.next() == ','; first = false {
		if !first || !inline {
			t.indent(depth)
		}
		t.text(t.string(), isKey)
		t.next()
		t.out = append(t.out, ':')
		switch {
		case t.in[0] == '{' && t.in[1] == '}', t.in[0] == '[' && t.in[1] == ']':
			t.out = append(t.out, ' ', t.next(), t.next(), '\n')
		case t.in[0] == '{':
			t.out = append(t.out, '\n')
			t.mapping(depth+1, false)
		case t.in[0] == '[':
			t.out = append(t.out, '\n')
			t.list(depth)
		default:
			t.out = append(t.out, ' ')
			t.scalar(depth)
			t.out = append(t.out, '\n')
		}
	}
}

// list writes the items after an opening bracket.
func (t *transcoder) list(depth int) {
	t.next()
	for first := true; first || t.next() == ','; first = false {
		t.indent(depth)
		t.out = append(t.out, '-', ' ')
		switch {
		case t.in[0] == '{' && t.in[1] == '}':
			t.out = append(t.out, t.next(), t.next(), '\n')
		case t.in[0] == '{':
			t.mapping(depth+1, true)
		case t.in[0] == '[':
			// JSON is YAML.
			t.out = append(escapeControls(t.out, t.raw()), '\n')
		default:
			t.scalar(depth)
			t.out = append(t.out, '\n')
		}
	}
}

func (t *transcoder) scalar(depth int) {
	if t.in[0] == '"' {
		t.text(t.string(), depth)
		return
	}
	// Numbers and words are the same in both.
	end := 0
	for t.in[end] != ',' && t.in[end] != '}' && t.in[end] != ']' {
		end++
	}
	t.out = append(t.out, t.in[:end]...)
	t.in = t.in[end:]
}

// string takes a text.
func (t *transcoder) string() string {
	end, plain := 1, true
	for t.in[end] != '"' {
		if t.in[end] == '\\' {
			plain = false
			end++
		}
		end++
	}
	text := t.in[:end+1]
	t.in = t.in[end+1:]
	if plain {
		return string(text[1:end])
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		panic(fmt.Sprintf("decode %s, which was encoded here: %v", strconv.Quote(string(text)), err))
	}
	return s
}

// raw takes a list as it is.
func (t *transcoder) raw() []byte {
	all := t.in
	for depth := 0; ; {
		switch t.in[0] {
		case '"':
			t.string()
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		t.next()
		if depth == 0 {
			return all[:len(all)-len(t.in)]
		}
	}
}
