// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// checker gathers the mistakes of one document.
type checker struct {
	kind  string
	root  *schema
	diags []diag.Diagnostic
	// wrong are the paths whose values must not be read any further.
	wrong wrongPaths
	// labels are the label maps, which the rules do not see.
	labels []labelMap
	// right are the scalars of the right shape, by path.
	right []value
	// guesses counts the names that were compared with many others.
	guesses int
	// tabled are the mappings and lists that tables have rows about.
	tabled []tabled
}

// value is a scalar of the right shape.
type value struct {
	path, text string
	at         diag.Position
	schema     *schema
}

// newChecker returns a checker for a document of a kind that people write.
func newChecker(kind string) *checker { return &checker{kind: kind, root: shapes()[kind]} }

// place is where a value stands: its path and the position for messages about
// the whole of it.
type place struct {
	path string
	at   diag.Position
}

func (p place) field(f field) place {
	at := f.value.at
	if f.value.kind != scalarNode && at.Line != f.keyAt.Line {
		at = f.keyAt
	}
	return place{join(p.path, f.key), at}
}

// name is the last part of the path.
func (p place) name() string { return shorten(p.path[strings.LastIndexByte(p.path, '.')+1:]) }

func (c *checker) report(p place, code, message, fix string) {
	c.diags = append(c.diags, diag.Diagnostic{Code: code, Severity: diag.Error, Message: message, Fix: fix, Position: p.at})
	c.wrong.add(p.path)
}

// check walks a value along its schema and returns what the rules may see of
// it: everything that has the right shape, without label maps.
func (c *checker) check(n *node, s *schema, p place) any {
	if n.kind == brokenNode {
		c.wrong.add(p.path)
		return nil
	}
	if n.kind == scalarNode && n.tag == "!!null" {
		c.report(p, diag.CodeType, p.name()+" has no value", "give it one, or remove the line")
		return nil
	}
	switch s.Type {
	case "object":
		if n.kind != mappingNode {
			c.wrongType(n, p, "a mapping", s.below(p.name()))
			return nil
		}
		if s.Values != nil {
			return c.texts(n, s, p)
		}
		return c.mapping(n, s, p)
	case "array":
		if n.kind != sequenceNode {
			c.wrongType(n, p, "a list", "begin each item with a dash, or put the items in square brackets")
			return nil
		}
		return c.list(n, s, p)
	case "integer":
		return c.integer(n, s, p)
	case "boolean":
		return c.boolean(n, s, p)
	}
	return c.str(n, s, p)
}

// below tells what stands below a mapping of a name.
func (s *schema) below(name string) string {
	switch {
	case s.Values != nil:
		return "write names with their values, each on a line, indented below it"
	case len(s.Properties) == 0:
		return emptyMapping(name)
	}
	return "write its fields indented below it: " + strings.Join(s.names(), ", ")
}

func emptyMapping(name string) string {
	return fmt.Sprintf("%s has no fields; write \"%s: {}\"", name, name)
}

func (c *checker) wrongType(n *node, p place, want, fix string) {
	if n.holdsBroken() {
		c.wrong.add(p.path)
		return
	}
	c.report(p, diag.CodeType, fmt.Sprintf("%s must be %s, not %s", p.name(), want, n.describe()), fix)
}

// texts checks a map from strings to strings, such as labels. The rules see
// only whether there is anything in it: CUE keeps every field name that it ever
// saw, so names that users choose stay out of it.
func (c *checker) texts(n *node, s *schema, p place) any {
	m := labelMap{place: p}
	for _, f := range n.fields {
		at := p.field(f)
		if f.value.kind == mappingNode {
			c.wrongType(f.value, at, "a string", fmt.Sprintf("write the names and their values directly below %s", p.name()))
			continue
		}
		c.check(f.value, s.Values, at)
		if !c.wrong.paths[at.path] {
			m.entries = append(m.entries, labelEntry{key: f.key, value: f.value.text, keyAt: f.keyAt, at: at.at})
		}
	}
	c.labels = append(c.labels, m)
	if len(n.fields) == 0 {
		return nil
	}
	return map[string]any{}
}

func (c *checker) mapping(n *node, s *schema, p place) any {
	seen := map[string]any{}
	var free, meant []string
	for _, f := range n.fields {
		at := p.field(f)
		property, known := s.Properties[f.key]
		switch {
		case p.path == "" && (f.key == "apiVersion" || f.key == "kind"):
			// The header of the document was checked before.
			seen[f.key] = f.value.text
			continue
		case known:
			if v := c.check(f.value, property, at); v != nil {
				seen[f.key] = v
			}
			continue
		case f.key == "status" && p.path == "":
			c.report(place{at.path, f.keyAt}, diag.CodeStatus, "status is written by Fairlead and has no meaning in git", "remove it")
		case f.key == "namespace" && p.path == "metadata":
			c.report(place{at.path, f.keyAt}, diag.CodeScope, fmt.Sprintf("a %s belongs to no namespace", c.kind), "remove the line")
		default:
			if free == nil {
				free = slices.DeleteFunc(s.names(), func(name string) bool { return n.get(name) != nil })
			}
			meant = append(meant, c.unknown(s, f, p, free)...)
		}
	}
	for _, name := range s.Required {
		if !n.partial && n.get(name) == nil && !slices.Contains(meant, name) {
			c.missing(name, p)
		}
	}
	c.note(n, s, p)
	return seen
}

// maxHomes bounds the places that are named for a field in the wrong one; more
// of them help nobody.
const maxHomes = 2

// unknown reports a field that the schema does not have, and returns which of
// those that are not there was probably meant.
func (c *checker) unknown(s *schema, f field, p place, free []string) []string {
	at := place{join(p.path, f.key), f.keyAt}
	message := fmt.Sprintf("unknown field %q", shorten(f.key))
	if near, ok := c.guess(f.key, free); ok {
		c.report(at, diag.CodeUnknownField, message, fmt.Sprintf("did you mean %q?", near))
		c.wrong.add(join(p.path, near))
		return []string{near}
	}
	fix := "allowed here: " + strings.Join(s.names(), ", ")
	if len(s.Properties) == 0 {
		fix = emptyMapping(p.name())
	}
	if homes := c.root.home[f.key]; len(homes) > 0 && len(homes) <= maxHomes {
		fix = "it belongs to " + strings.Join(homes, " or ")
	}
	c.report(at, diag.CodeUnknownField, message, fix)
	return nil
}

func (c *checker) missing(name string, p place) {
	at := place{join(p.path, name), p.at}
	switch at.path {
	case "metadata.namespace":
		c.report(at, diag.CodeScope, "metadata.namespace is missing: it is the namespace of the service, the same in every cluster", "add \"namespace: …\"")
		return
	case "metadata.name":
		c.report(at, diag.CodeMissing, fmt.Sprintf("the %s has no name", c.kind), "add \"name: …\" to metadata")
		return
	case "apiVersion", "kind":
		return // reported with the header
	}
	c.report(at, diag.CodeMissing, fmt.Sprintf("%s is missing", name), fmt.Sprintf("add \"%s: …\"", name))
}

func (c *checker) list(n *node, s *schema, p place) any {
	rightCount := c.count(len(n.items), [2]*int{s.MinItems, s.MaxItems}, "items", p)
	seen := make([]any, 0, len(n.items))
	for i, item := range n.items {
		v := c.check(item, s.Items, place{index(p.path, i), item.at})
		if v == nil {
			// What is wrong keeps its place, so that the others keep theirs.
			v = map[string]any{}
			if s.Items.Type != "object" {
				v = fmt.Sprintf("wrong item %d", i)
			}
		}
		seen = append(seen, v)
	}
	c.note(n, s, p)
	if !rightCount {
		return nil // a list without bound would keep the rules busy for ever
	}
	return seen
}

// count checks a length against its limits.
func (c *checker) count(n int, limits [2]*int, unit string, p place) bool {
	switch least, most := limits[0], limits[1]; {
	case least != nil && n < *least && n == 0:
		c.report(p, diag.CodeLength, p.name()+" is empty", fmt.Sprintf("at least %d %s needed", *least, plural(*least, unit)))
	case least != nil && n < *least:
		c.report(p, diag.CodeLength, fmt.Sprintf("%s has %d %s", p.name(), n, unit), fmt.Sprintf("at least %d are needed", *least))
	case most != nil && n > *most:
		c.report(p, diag.CodeLength, fmt.Sprintf("%s has %d %s", p.name(), n, unit), fmt.Sprintf("at most %d are allowed", *most))
	default:
		return true
	}
	return false
}

func plural(n int, unit string) string {
	if n == 1 {
		return strings.TrimSuffix(unit, "s") + " is"
	}
	return unit + " are"
}
