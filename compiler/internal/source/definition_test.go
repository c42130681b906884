// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// everything are the stories whose documents have every field, by kind.
var everything = map[string]string{
	v1alpha1.KindTrafficPolicy: "all_fields_policy",
	v1alpha1.KindClusterSet:    "all_fields_clusterset",
	v1alpha1.KindTrafficTest:   "all_fields_traffictest",
}

// documentsOf returns the documents of a story's first file.
func documentsOf(t *testing.T, name string) []*node {
	t.Helper()
	story, err := txtar.ParseFile(filepath.Join(storyDir, name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var roots []*node
	for _, c := range split(name, story.Files[0].Data) {
		root, ds := parse(c)
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		if root != nil {
			roots = append(roots, root)
		}
	}
	return roots
}

// TestEveryFieldIsInAStory fails for a field that no document of the stories
// above has.
func TestEveryFieldIsInAStory(t *testing.T) {
	for _, kind := range written {
		name := everything[kind]
		found := map[string]bool{}
		var visit func(n *node, s *schema)
		visit = func(n *node, s *schema) {
			found[s.path] = true
			for _, f := range n.fields {
				if p := s.Properties[f.key]; p != nil {
					visit(f.value, p)
				}
			}
			for _, item := range n.items {
				visit(item, s.Items)
			}
		}
		for _, root := range documentsOf(t, name) {
			visit(root, shapes()[kind])
		}
		shapes()[kind].visit("", func(path string, s *schema) {
			for _, r := range s.rows {
				if when, ok := r.(*whenRow); ok && when.Field == "" {
					for _, name := range when.Refuses {
						found[join(s.path, name)] = true // never right
					}
				}
			}
		})
		shapes()[kind].visit("", func(path string, s *schema) {
			if !found[s.path] {
				t.Errorf("%s: no document of %s has %s", kind, name, path)
			}
		})
	}
}

// TestGoAndCUEAgree puts every kind of wrong value in the place of every value
// of documents that say everything, and takes every value away. The checks in
// Go, which speak to people, and the CUE definitions, which come from the same
// types, must agree whether the result has the right shape.
func TestGoAndCUEAgree(t *testing.T) {
	for kind, name := range everything {
		t.Run(kind, func(t *testing.T) {
			tried, wrong := 0, 0
			for _, root := range documentsOf(t, name) {
				if !agree(t, kind, "as written", root) {
					t.Errorf("the %s as written is wrong", kind)
				}
				more, moreWrong := mutate(t, kind, root)
				tried, wrong = tried+more, wrong+moreWrong
			}
			if wrong < 100 || wrong == tried {
				t.Errorf("%d of %d changes were wrong; the test does not see what it should", wrong, tried)
			}
		})
	}
}

// agree compares all opinions on a document and returns Go's. The check of the
// definition that Load makes does not miss fields; Go does.
func agree(t *testing.T, kind, change string, root *node) bool {
	c := newChecker(kind)
	c.check(root, c.root, place{"", root.at})
	byGo := !diag.HasErrors(c.diags)
	document := newContext().Encode(root.value())
	err := ruleSets()[kind].definition.Unify(document).Validate(cue.Concrete(true))
	if byCUE := err == nil; byGo != byCUE {
		t.Errorf("%s: Go says %v, CUE says %v", change, c.diags, err)
	}
	missing := slices.ContainsFunc(c.diags, func(d diag.Diagnostic) bool { return d.Code == diag.CodeMissing || d.Code == diag.CodeScope })
	if fast := len(ruleSets()[kind].check(kind, document, Origin{})) == 0; fast != (err == nil) && !missing {
		t.Errorf("%s: Load's check says %v, CUE says %v", change, fast, err)
	}
	return byGo
}

// replacements are the values that mutate puts everywhere.
var replacements = map[string]*node{
	"nothing":       {tag: "!!null", text: "null"},
	"a word":        {tag: "!!str", text: "word"},
	"an empty text": {tag: "!!str"},
	"a long text":   {tag: "!!str", text: strings.Repeat("a", 300)},
	"a small one":   {tag: "!!int", text: "-1"},
	"a number":      {tag: "!!int", text: "7"},
	"a large one":   {tag: "!!int", text: "99999999"},
	"a fraction":    {tag: "!!float", text: "1.5"},
	"a boolean":     {tag: "!!bool", text: "true"},
	"an empty list": {kind: sequenceNode},
	"a mapping":     {kind: mappingNode},
	"a stranger":    {kind: mappingNode, fields: []field{{key: "stranger", value: &node{tag: "!!int", text: "1"}}}},
}

// mutate changes every value below n in turn and counts the changes, and those
// among them that are wrong.
func mutate(t *testing.T, kind string, root *node) (tried, wrong int) {
	try := func(change string) {
		tried++
		if !agree(t, kind, change, root) {
			wrong++
		}
	}
	// A field of a type is tried where it is first met.
	seen := map[string]bool{}
	var visit func(path string, n *node, s *schema)
	visit = func(path string, n *node, s *schema) {
		for i, f := range n.fields {
			if path == "" && (f.key == "apiVersion" || f.key == "kind") {
				continue // checked with the header
			}
			at, here := join(path, f.key), fmt.Sprint(s.typ, s.path, f.key)
			if s.typ != nil {
				here = fmt.Sprint(s.typ, f.key)
			}
			if seen[here] {
				continue
			}
			seen[here] = true
			for name, r := range replacements {
				n.fields[i].value = r
				try(name + " as " + at)
			}
			n.fields[i] = f
			without := append(append([]field(nil), n.fields[:i]...), n.fields[i+1:]...)
			all := n.fields
			n.fields = without
			try("no " + at)
			n.fields = all
			if p := cmp.Or(s.Properties[f.key], s.Values); p != nil {
				visit(at, f.value, p)
			}
		}
		for i, item := range n.items {
			at := index(path, i)
			for name, r := range replacements {
				n.items[i] = r
				try(name + " as " + at)
			}
			n.items[i] = item
			visit(at, item, s.Items)
		}
	}
	visit("", root, shapes()[kind])
	return tried, wrong
}
