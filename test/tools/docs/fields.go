// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/schemas"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// schema is what a JSON Schema says of a value.
type schema struct {
	Description string             `json:"description"`
	Enum        []string           `json:"enum"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Items       *schema            `json:"items"`
	Pattern     string             `json:"pattern"`
	Minimum     *int64             `json:"minimum"`
	Maximum     *int64             `json:"maximum"`
	MaxLength   *int64             `json:"maxLength"`
	MinItems    *int64             `json:"minItems"`
	MaxItems    *int64             `json:"maxItems"`
}

// block is a mapping with named fields: a Go struct.
type block struct {
	// path without places in lists; list: the path is that of a list of these.
	path   string
	list   bool
	typ    reflect.Type
	doc    string
	fields []field
}

// exclusive finds the comment of a block of which not every field can be given.
var exclusive = regexp.MustCompile(`(?i)(exactly|at most) one|either`)

// oneOf tells whether fields of a block exclude each other, so that one that is
// left out says nothing by itself.
func (b block) oneOf() bool { return exclusive.MatchString(b.doc) }

// field is a field of a block.
type field struct {
	// goName is its name in the type.
	name, goName, path string
	typ                reflect.Type
	schema             *schema
	required           bool
}

// document is a kind that people write.
type document struct {
	kind string
	typ  reflect.Type
}

// typeComments returns the comments of the types of v1alpha1, by name; a schema
// has those of fields alone.
func typeComments(root string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(root, "schemas/v1alpha1/*.go"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			types, ok := d.(*ast.GenDecl)
			if !ok || types.Tok != token.TYPE || types.Doc == nil {
				continue
			}
			text, _, _ := strings.Cut(types.Doc.Text(), "\n+")
			out[types.Specs[0].(*ast.TypeSpec).Name.Name] = oneLine(text)
		}
	}
	return out, nil
}

func documents() []document {
	return []document{
		{v1alpha1.KindTrafficPolicy, reflect.TypeFor[v1alpha1.TrafficPolicySpec]()},
		{v1alpha1.KindClusterSet, reflect.TypeFor[v1alpha1.ClusterSetSpec]()},
		{v1alpha1.KindTrafficTest, reflect.TypeFor[v1alpha1.TrafficTestSpec]()},
	}
}

// blocks returns the description of a kind and its blocks in the order of the
// fields, with the comments of their types.
func (d document) blocks(comments map[string]string) (string, []block, error) {
	text, err := schemas.JSONSchema(d.kind)
	if err != nil {
		return "", nil, err
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return "", nil, fmt.Errorf("schema of %s: %w", d.kind, err)
	}
	all, err := walk(block{path: "spec"}, d.typ, root.Properties["spec"])
	for i := range all {
		all[i].doc = comments[all[i].typ.Name()]
	}
	return root.Description, all, err
}

// walk returns a block and those inside it.
func walk(b block, typ reflect.Type, s *schema) ([]block, error) {
	b.typ = typ
	var inner []block
	for _, f := range structFields(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		one := field{name: name, goName: f.Name, path: b.path + "." + name, typ: f.Type, schema: s.Properties[name], required: slices.Contains(s.Required, name)}
		if one.schema == nil {
			return nil, fmt.Errorf("%s is in the type and not in the schema: run make generate", one.path)
		}
		b.fields = append(b.fields, one)
		elem, of, list := one.typ, one.schema, false
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			if elem.Kind() == reflect.Slice {
				list, of = true, of.Items
			}
			elem = elem.Elem()
		}
		if elem.Kind() != reflect.Struct || elem.NumField() == 0 {
			continue
		}
		more, err := walk(block{path: one.path, list: list}, elem, of)
		if err != nil {
			return nil, err
		}
		inner = append(inner, more...)
	}
	return append([]block{b}, inner...), nil
}

// structFields returns the fields of a struct, those of embedded ones in their
// place.
func structFields(typ reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for f := range typ.Fields() {
		if f.Anonymous {
			out = append(out, structFields(f.Type)...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// leftOut finds what a comment says of a field that is not given.
var leftOut = regexp.MustCompile(`(?s)Left\s+out(?:,[^:.]*)?:\s+(.+?)\.(?:\s+[A-Z]|$)`)

// absent says what holds where the field is left out; empty where the comment
// does not say.
func (f field) absent() string {
	if f.required {
		return "required"
	}
	if m := leftOut.FindStringSubmatch(f.schema.Description); m != nil {
		return oneLine(m[1])
	}
	return ""
}

// meaning is what a comment says besides what holds where the field is left out.
func (f field) meaning() string {
	text := f.schema.Description
	if at := leftOut.FindStringSubmatchIndex(text); at != nil && !f.required {
		// The match may have begun the next sentence.
		text = text[:at[0]] + text[at[3]+len("."):]
	}
	// "Weight: how much" is about the field that the line is about anyway.
	if rest, ok := strings.CutPrefix(oneLine(text), f.goName+": "); ok {
		return strings.ToUpper(rest[:1]) + rest[1:]
	}
	return oneLine(text)
}

// typeWords are what types of ours are called.
var typeWords = map[string]string{
	"Duration":   "duration, like `500ms`, `30s` or `1m30s`",
	"Percent":    "percentage, `0%` to `100%`",
	"CIDR":       "CIDR, like `10.1.0.0/16`",
	"Address":    "IP address",
	"Hostname":   "hostname",
	"PortNumber": "port, 1 to 65535",
	"PortRange":  "one port in quotes, or a range like `51820-51835`",
}

// words says in words what a value is.
func words(typ reflect.Type, s *schema) string {
	switch typ.Kind() {
	case reflect.Pointer:
		return words(typ.Elem(), s)
	case reflect.Slice:
		what := ": " + words(typ.Elem(), s.Items)
		if typ.Elem().Kind() == reflect.Struct {
			what = " of blocks"
		}
		return "list" + what + limits("", s.MinItems, s.MaxItems, " entries")
	case reflect.Map:
		return "labels, text to text"
	case reflect.Struct:
		if typ.NumField() == 0 {
			return "`{}`"
		}
		return "block"
	case reflect.Bool:
		return "`true` or `false`"
	}
	if known, ok := typeWords[typ.Name()]; ok {
		return known
	}
	if len(s.Enum) > 0 {
		return "`" + strings.Join(s.Enum, "`, `") + "`"
	}
	if typ.Kind() == reflect.String {
		return "text" + limits("", nil, s.MaxLength, " characters") + form(s.Pattern)
	}
	return "number" + limits(",", s.Minimum, s.Maximum, "")
}

// limits writes a range. A list or a text without a least length has none.
func limits(sep string, least, most *int64, unit string) string {
	switch {
	case most == nil && (least == nil || *least == 0):
		return ""
	case most == nil:
		return fmt.Sprintf("%s, at least %d%s", sep, *least, unit)
	case sep == "" && (least == nil || *least == 0):
		return fmt.Sprintf(", at most %d%s", *most, unit)
	case least == nil:
		return fmt.Sprintf("%s at most %d%s", sep, *most, unit)
	}
	return fmt.Sprintf("%s %d to %d%s", strings.TrimPrefix(sep+",", ",,"), *least, *most, unit)
}

// forms are patterns in words.
var forms = map[string]string{
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`:                                   "an RFC 1123 label",
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`: "a DNS name",
}

func form(pattern string) string {
	switch known, ok := forms[pattern]; {
	case pattern == "":
		return ""
	case ok:
		return ", " + known
	}
	return ", of the form `" + pattern + "`"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
