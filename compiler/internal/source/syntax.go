// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/compiler/diag"
)

// maxLocate bounds, in lines times bytes, the documents whose broken line is
// searched for by parsing; in longer ones the parser's own, less exact line is
// used. A policy of 200 lines stays below it.
const maxLocate = 4 << 20

// syntaxHelp says in words what the YAML parser means. The first entry whose
// key is part of the parser's message is used.
var syntaxHelp = []struct{ contains, message, fix string }{
	{"cannot start any token", "this line begins a value with a character that YAML reserves", "put the value in quotes"},
	{"mapping values are not allowed", "there is a second colon, or the line is indented further than the one above it", "align it with its siblings, or put the value in quotes"},
	{"block sequence entries are not allowed", "a list item stands where a value was expected", "begin the list on its own line"},
	{"could not find expected ':'", "a line without a colon stands where a field was expected", "write it as \"name: value\", or indent it under the field that it belongs to"},
	{"did not find expected key", "the indentation does not match the lines above, or the value goes on after its end", "align it with its siblings"},
	{"did not find expected '-' indicator", "the indentation does not match the list above", "align it with the other items"},
	{"did not find expected ',' or ']'", "a list in square brackets is not closed", "add the missing comma or bracket"},
	{"did not find expected ',' or '}'", "a mapping in braces is not closed", "add the missing comma or brace"},
	{"did not find expected node content", "a value is missing or begins with a character that YAML reserves", "write the value, in quotes if need be"},
	{"unexpected end of stream", "a quoted value is not closed", "add the missing quote"},
	{"unexpected document indicator", "a quoted value is not closed", "add the missing quote"},
	{"unknown escape character", "a value in double quotes has a backslash that YAML does not know", "write \\\\ for a backslash, or use single quotes"},
	{"control characters are not allowed", "there is a control character in the text", "remove it"},
	{"unknown anchor", "an alias speaks of an anchor that does not exist", "write the value out"},
	{"exceeded max depth", "the document is nested too deeply", "check the brackets"},
}

// explainSyntax turns the parser's error into one about the user's line.
func explainSyntax(c chunk, err error) diag.Diagnostic {
	d := diag.Diagnostic{Code: diag.CodeSyntax, Severity: diag.Error,
		Message: "this is not YAML", Fix: "check the indentation, colons, quotes and brackets here"}
	if at, ok := tabIndent(c); ok {
		d.Message, d.Fix, d.Position = "the line is indented with a tab, which YAML does not allow", "use spaces", at
		return d
	}
	for _, h := range syntaxHelp {
		if strings.Contains(err.Error(), h.contains) {
			d.Message, d.Fix = h.message, h.fix
			break
		}
	}
	d.Position = brokenLine(c, err)
	return d
}

// tabIndent finds a line that is indented with a tab.
func tabIndent(c chunk) (diag.Position, bool) {
	number := 0
	for line := range bytes.Lines(c.text) {
		number++
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 && !blank(line) {
			return c.at(number, tab+1), true
		}
	}
	return diag.Position{}, false
}

var errorLine = regexp.MustCompile(`line (\d+):`)

// brokenLine finds the line that breaks a document: the one after the longest
// beginning that is YAML by itself. The parser alone often names the beginning
// of the enclosing mapping, or the end of the file.
func brokenLine(c chunk, err error) diag.Position {
	lines := bytes.SplitAfter(c.text, []byte("\n"))
	if len(lines)*len(c.text) > maxLocate {
		line := 1
		if m := errorLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		return c.at(min(max(line, 1), len(lines)), 0)
	}
	n, end := len(lines), len(c.text)
	for ; n > 1; n-- {
		end -= len(lines[n-1])
		var doc yaml.Node
		if yaml.Unmarshal(c.text[:end], &doc) == nil {
			break
		}
	}
	line := lines[n-1]
	return c.at(n, utf8.RuneCount(line)-utf8.RuneCount(bytes.TrimLeft(line, " "))+1)
}

// isTemplate tells whether text that is not YAML is a template of somebody
// else's, such as a Helm chart's, and not a document of ours.
func isTemplate(text []byte) bool {
	return bytes.Contains(text, []byte("{{")) && !bytes.Contains(text, group)
}
