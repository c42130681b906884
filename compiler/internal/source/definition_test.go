// SPDX-License-Identifier: Apache-2.0

package source

import (
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// TestGoAndCUEAgree puts every kind of wrong value in the place of every value
// of a document that says everything, and takes every value away. The checks in
// Go, which speak to people, and the CUE definitions, which come from the same
// types, must agree whether the result has the right shape.
func TestGoAndCUEAgree(t *testing.T) {
	for kind, name := range map[string]string{v1alpha1.KindTrafficPolicy: "ok_policy", v1alpha1.KindClusterSet: "ok_clusterset"} {
		t.Run(kind, func(t *testing.T) {
			story, err := txtar.ParseFile(filepath.Join(storyDir, name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			root, ds := parse(chunk{file: name, line: 1, text: story.Files[0].Data})
			if root == nil || len(ds) > 0 {
				t.Fatal(ds)
			}
			rightShape := agree(t, kind, "as written", root)
			tried, wrong := mutate(t, kind, root)
			if !rightShape || wrong < 100 || wrong == tried {
				t.Errorf("%d of %d changes were wrong; the test does not see what it should", wrong, tried)
			}
		})
	}
}

// agree compares both opinions on a document and returns Go's.
func agree(t *testing.T, kind, change string, root *node) bool {
	c := newChecker(kind)
	c.check(root, c.root, place{"", root.at})
	byGo := !diag.HasErrors(c.diags)
	err := ruleSets()[kind].definition.Unify(newContext().Encode(root.value())).Validate(cue.Concrete(true))
	if byCUE := err == nil; byGo != byCUE {
		t.Errorf("%s: Go says %v, CUE says %v", change, c.diags, err)
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
	var visit func(path string, n *node)
	visit = func(path string, n *node) {
		for i, f := range n.fields {
			if path == "" && (f.key == "apiVersion" || f.key == "kind") {
				continue // checked with the header
			}
			at := join(path, f.key)
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
			visit(at, f.value)
		}
		for i, item := range n.items {
			at := index(path, i)
			for name, r := range replacements {
				n.items[i] = r
				try(name + " as " + at)
			}
			n.items[i] = item
			visit(at, item)
		}
	}
	visit("", root)
	return tried, wrong
}
