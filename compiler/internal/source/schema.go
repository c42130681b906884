// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/schemas"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// schema is the part of JSON Schema that the schemas of our kinds use.
type schema struct {
	Type        string             `json:"type"`
	Description string             `json:"description"`
	Enum        []string           `json:"enum"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Items       *schema            `json:"items"`
	// Values is what every value of a map must be; nil where fields have names.
	Values    *schema `json:"-"`
	MinLength *int    `json:"minLength"`
	MaxLength *int    `json:"maxLength"`
	MinItems  *int    `json:"minItems"`
	MaxItems  *int    `json:"maxItems"`
	Minimum   *int64  `json:"minimum"`
	Maximum   *int64  `json:"maximum"`
	Pattern   *form   `json:"pattern"`
	Format    string  `json:"format"`

	// path of the values from the document's root, without the places in lists.
	path string
	// typ is the Go type of the values, and pointer whether the field is a
	// pointer to it; nil in metadata, which has none of ours.
	typ     reflect.Type
	pointer bool
	// rows and forms are the rows of the tables that are about the values.
	rows  []tableRow
	forms []*formRow
	// home are the paths of all fields by name; only of a whole document.
	home map[string][]string
	// once is what values are called that stand in their list once; empty where
	// they may stand twice.
	once string
}

// form is a compiled pattern.
type form struct{ *regexp.Regexp }

// UnmarshalText compiles the pattern.
func (f *form) UnmarshalText(text []byte) (err error) {
	f.Regexp, err = regexp.Compile(string(text))
	return err
}

// UnmarshalJSON refuses keywords that the checks below would pass over.
func (s *schema) UnmarshalJSON(text []byte) error {
	type plain schema
	raw := struct {
		*plain
		AdditionalProperties json.RawMessage `json:"additionalProperties"`
	}{plain: (*plain)(s)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&raw); err != nil {
		return err
	}
	switch string(raw.AdditionalProperties) {
	case "", "false":
		return nil
	}
	s.Values = &schema{}
	return json.Unmarshal(raw.AdditionalProperties, s.Values)
}

// names returns the fields that a mapping may have, sorted.
func (s *schema) names() []string { return slices.Sorted(maps.Keys(s.Properties)) }

// shapes are the schemas by kind. They are part of the program, so a broken one
// is a broken program.
var shapes = sync.OnceValue(func() map[string]*schema {
	byKind := make(map[string]*schema, len(written))
	for _, kind := range written {
		text, err := schemas.JSONSchema(kind)
		if err != nil {
			panic(fmt.Sprintf("schema of %s: %v", kind, err))
		}
		byKind[kind] = &schema{}
		if err := json.Unmarshal(text, byKind[kind]); err != nil {
			panic(fmt.Sprintf("schema of %s: %v", kind, err))
		}
		byKind[kind].locate("", documentTypes[kind])
		byKind[kind].home = byKind[kind].homes("", map[string][]string{})
		if err := readTables(ruleSets()[kind].tables, byKind[kind]); err != nil {
			panic(fmt.Sprintf("rules of %s: %v", kind, err))
		}
	}
	return byKind
})

// documentTypes are the Go types that the schemas were generated from.
var documentTypes = map[string]reflect.Type{
	v1alpha1.KindClusterSet:    reflect.TypeFor[v1alpha1.ClusterSet](),
	v1alpha1.KindTrafficPolicy: reflect.TypeFor[v1alpha1.TrafficPolicy](),
	v1alpha1.KindTrafficTest:   reflect.TypeFor[v1alpha1.TrafficTest](),
}

// locate notes for a schema and everything inside it where it is and which Go
// type it was generated from.
func (s *schema) locate(path string, typ reflect.Type) {
	if typ != nil && typ.Kind() == reflect.Pointer {
		typ, s.pointer = typ.Elem(), true
	}
	s.path, s.typ = path, typ
	for name, p := range s.Properties {
		p.locate(join(path, name), fieldType(typ, name))
	}
	for _, inner := range []*schema{s.Items, s.Values} {
		if inner != nil && typ != nil {
			inner.locate(path, typ.Elem())
		}
	}
	if s.Items != nil {
		s.keyed()
	}
}

// fieldType returns the type of a field by its name in JSON; nil where the type
// has none or is not one of ours.
func fieldType(typ reflect.Type, name string) reflect.Type {
	if typ == nil || typ.Kind() != reflect.Struct {
		return nil
	}
	for f := range typ.Fields() {
		switch tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); {
		case tag == name && f.Type != reflect.TypeFor[metav1.ObjectMeta]():
			return f.Type
		case tag == "" && f.Anonymous:
			if inner := fieldType(f.Type, name); inner != nil {
				return inner
			}
		}
	}
	return nil
}

// homes returns the paths at which fields are known, by name, each sorted.
func (s *schema) homes(path string, into map[string][]string) map[string][]string {
	for _, name := range s.names() {
		at := join(path, name)
		into[name] = append(into[name], at)
		s.Properties[name].homes(at, into)
	}
	if s.Items != nil {
		s.Items.homes(path+"[]", into)
	}
	return into
}
