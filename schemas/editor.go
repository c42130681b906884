// SPDX-License-Identifier: Apache-2.0

package schemas

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// draft names the dialect of the schemas; editors know it.
const draft = "http://json-schema.org/draft-07/schema#"

// Kinds returns the kinds that people write, sorted.
func Kinds() ([]string, error) {
	names, err := fs.Glob(files, "v1alpha1/zz_generated.*.json")
	if err != nil {
		return nil, err
	}
	var kinds []string
	for _, name := range names {
		s, err := read(strings.Split(path.Base(name), ".")[1])
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, s.kind)
	}
	slices.Sort(kinds)
	return kinds, nil
}

// Editor returns the JSON Schema for editors of the documents of one kind or,
// without a kind, of any: it says which dialect it is written in.
func Editor(kind string) ([]byte, error) {
	if kind != "" {
		s, err := read(kind)
		if err != nil {
			return nil, err
		}
		s.whole["$schema"], s.whole["title"] = draft, s.kind
		addDefaults(s.whole)
		return indent(s.whole)
	}
	kinds, err := Kinds()
	if err != nil {
		return nil, err
	}
	// A schema by kind, rather than one of several: what an editor says of a
	// mistake is then about the kind that was written.
	definitions, byKind, versions := map[string]any{}, []any{}, []any{}
	for _, kind := range kinds {
		s, err := read(kind)
		if err != nil {
			return nil, err
		}
		addDefaults(s.whole)
		definitions[kind] = s.whole
		byKind = append(byKind, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"kind": map[string]any{"const": kind}}, "required": []string{"kind"}},
			"then": map[string]any{"$ref": "#/definitions/" + kind},
		})
		if !slices.Contains(versions, any(s.apiVersion)) {
			versions = append(versions, s.apiVersion)
		}
	}
	return indent(map[string]any{
		"$schema": draft, "title": "Fairlead", "type": "object", "definitions": definitions, "allOf": byKind,
		"required": []string{"apiVersion", "kind"},
		"properties": map[string]any{
			"apiVersion": map[string]any{"type": "string", "enum": versions},
			"kind":       map[string]any{"type": "string", "enum": kinds},
		},
	})
}

// document is the schema of a kind, and what it is of.
type document struct {
	whole            map[string]any
	kind, apiVersion string
}

func read(kind string) (document, error) {
	var d document
	text, err := JSONSchema(kind)
	if err != nil {
		return d, err
	}
	var header struct {
		Properties struct{ APIVersion, Kind struct{ Enum []string } }
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return d, fmt.Errorf("schema of %s: %w", kind, err)
	}
	d.kind, d.apiVersion = header.Properties.Kind.Enum[0], header.Properties.APIVersion.Enum[0]
	return d, json.Unmarshal(text, &d.whole)
}

// leftOut finds the one word in which a comment says what holds where a field is
// left out.
var leftOut = regexp.MustCompile(`Left\s+out:\s+(\S+?)\.(?:\s|$)`)

// addDefaults adds what editors fill in to every schema below one. A default
// that depends on something else takes more than one word and is left to the
// description.
func addDefaults(of map[string]any) {
	text, _ := of["description"].(string)
	if m := leftOut.FindStringSubmatch(text); m != nil {
		if value, ok := defaultOf(of, m[1]); ok {
			of["default"] = value
		}
	}
	for _, inner := range of {
		switch inner := inner.(type) {
		case map[string]any:
			addDefaults(inner)
		case []any:
			for _, one := range inner {
				if m, ok := one.(map[string]any); ok {
					addDefaults(m)
				}
			}
		}
	}
}

// defaultOf reads a word as a value that a schema takes; false for words such as
// none.
func defaultOf(of map[string]any, word string) (any, bool) {
	enum, _ := of["enum"].([]any)
	pattern, _ := of["pattern"].(string)
	switch of["type"] {
	case "integer":
		n, err := strconv.Atoi(word)
		return n, err == nil
	case "boolean":
		b, err := strconv.ParseBool(word)
		return b, err == nil
	case "string":
		switch {
		case len(enum) > 0:
			return word, slices.Contains(enum, any(word))
		case pattern != "":
			ok, err := regexp.MatchString(pattern, word)
			return word, ok && err == nil
		}
		return word, strings.Contains(word, "/") // a path or a range
	}
	return nil, false
}

func indent(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}
