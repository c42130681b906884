// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// Objects are many and small, and sigs.k8s.io/yaml takes ten times as long for
// each as writing it takes: it goes through JSON and parses that. What stands
// here writes the same bytes, but for two things: it keeps a text that needs
// quotes on its line, and its order of keys is an order even where numbers stand
// in them.

// writeYAML returns the YAML of a JSON-like value.
func writeYAML(content map[string]any) []byte {
	if len(content) == 0 {
		return []byte("{}\n")
	}
	w := yamlWriter{}
	w.mapping(content, 0, false)
	return w.out
}

// yamlWriter writes block style with two spaces.
type yamlWriter struct{ out []byte }

func (w *yamlWriter) indent(depth int) {
	for range depth {
		w.out = append(w.out, "  "...)
	}
}

// mapping writes fields; the first stands behind the dash of a list where inline
// is set.
func (w *yamlWriter) mapping(m map[string]any, depth int, inline bool) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	for i, k := range keys {
		if i > 0 || !inline {
			w.indent(depth)
		}
		w.text(k, isKey)
		w.out = append(w.out, ':')
		w.value(m[k], depth)
	}
}

// compareKeys orders numbers by what they are worth and letters behind
// everything else.
func compareKeys(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			x, y := digits(a), digits(b)
			p, q := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if order := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q), cmp.Compare(len(x), len(y))); order != 0 {
				return order
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Or(cmp.Compare(btoi(letter(a[0])), btoi(letter(b[0]))), cmp.Compare(a[0], b[0]))
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits returns the number that a text begins with.
func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// value writes what stands behind a key.
func (w *yamlWriter) value(v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			w.out = append(w.out, " {}\n"...)
			return
		}
		w.out = append(w.out, '\n')
		w.mapping(v, depth+1, false)
	case []any:
		if len(v) == 0 {
			w.out = append(w.out, " []\n"...)
			return
		}
		w.out = append(w.out, '\n')
		w.list(v, depth)
	default:
		w.out = append(w.out, ' ')
		w.scalar(v, depth)
		w.out = append(w.out, '\n')
	}
}

// list writes items at the depth of their key.
func (w *yamlWriter) list(items []any, depth int) {
	for _, item := range items {
		w.indent(depth)
		w.out = append(w.out, '-', ' ')
		switch item := item.(type) {
		case map[string]any:
			if len(item) == 0 {
				w.out = append(w.out, "{}\n"...)
				continue
			}
			w.mapping(item, depth+1, true)
		case []any:
			// JSON is YAML.
			w.out = append(escapeControls(w.out, writeJSON(nil, item)), '\n')
		default:
			w.scalar(item, depth)
			w.out = append(w.out, '\n')
		}
	}
}

func (w *yamlWriter) scalar(v any, depth int) {
	switch v := v.(type) {
	case string:
		w.text(v, depth)
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case int64:
		w.out = strconv.AppendInt(w.out, v, 10)
	case nil:
		w.out = append(w.out, "null"...)
	default:
		w.out = writeAsJSON(w.out, v)
	}
}

// longestPlain in bytes: longer texts might be broken into lines.
const longestPlain = 64

// text writes a text that begins like a word, has nothing in it that means
// anything in YAML, and is no word that YAML knows, as it is.
func (w *yamlWriter) text(s string, depth int) {
	switch {
	case isWord(s) && !reserved[s]:
		w.out = append(w.out, s...)
		return
	case s == "" || isDigits(s) || reserved[s]:
		w.out = append(w.out, '"')
		w.out = append(w.out, s...)
		w.out = append(w.out, '"')
		return
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		switch text, err := yaml.Marshal(s); {
		case err == nil && len(s) <= longestPlain && strings.Count(string(text), "\n") == 1:
			w.out = append(w.out, text[:len(text)-1]...)
			return
		case err == nil && text[0] == s[0] && depth != isKey:
			w.fold(s, depth)
			return
		}
	}
	w.out = escapeControls(w.out, writeJSONText(nil, s))
}

// isKey stands for the depth of a text that must stay on its line.
const isKey = -1

// foldAt is the column from which a line is broken at the next space.
const foldAt = 80

// fold writes a long text without quotes.
func (w *yamlWriter) fold(s string, depth int) {
	column := utf8.RuneCount(w.out[bytes.LastIndexByte(w.out, '\n')+1:])
	for i, r := range s {
		if r == ' ' && column > foldAt && i > 0 && s[i-1] != ' ' && i+1 < len(s) && s[i+1] != ' ' {
			w.out = append(w.out, '\n')
			w.indent(depth + 1)
			column = 2 * (depth + 1)
			continue
		}
		w.out = utf8.AppendRune(w.out, r)
		column++
	}
}

// escapeControls appends JSON, with those characters escaped that JSON takes as
// they are and YAML does not (YAML 1.2, 5.1).
func escapeControls(out, text []byte) []byte {
	for _, r := range string(text) {
		if r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0xfffe && r <= 0xffff {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// isWord tells whether a text is letters, digits and . _ - / after a letter.
func isWord(s string) bool {
	if s == "" || !letter(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !letter(c) && !digit(c) && c != '.' && c != '_' && c != '-' && c != '/' {
			return false
		}
	}
	return true
}

// isDigits tells whether a text is a number without sign or leading zero.
func isDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != "" && s[0] != '0' && len(s) < len("9223372036854775807")
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// reserved are the words that YAML 1.1 reads as something else than text.
var reserved = reservedWords()

func reservedWords() map[string]bool {
	out := map[string]bool{}
	for _, w := range []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"} {
		out[w], out[strings.ToUpper(w)], out[strings.ToUpper(w[:1])+w[1:]] = true, true, true
	}
	return out
}

// writeJSON appends a JSON-like value with its keys in the order that YAML has
// them in, so that YAML can be written of it as it is read.
func writeJSON(out []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, compareKeys)
		out = append(out, '{')
		for i, k := range keys {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(writeJSONText(out, k), ':')
			out = writeJSON(out, v[k])
		}
		return append(out, '}')
	case []any:
		out = append(out, '[')
		for i, item := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = writeJSON(out, item)
		}
		return append(out, ']')
	case string:
		return writeJSONText(out, v)
	case bool:
		return strconv.AppendBool(out, v)
	case int64:
		return strconv.AppendInt(out, v, 10)
	}
	return writeAsJSON(out, v)
}

func writeJSONText(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return writeAsJSON(out, s)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}

func writeAsJSON(out []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return append(out, text...)
}
