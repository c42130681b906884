// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// storyDocuments calls f with every document of ours in the stories.
func storyDocuments(t *testing.T, f func(name, kind string, root *node, origin Origin)) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(storyDir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d stories: %v", len(names), err)
	}
	for _, name := range names {
		story, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range story.Files {
			for _, c := range split(file.Name, file.Data) {
				root, _ := parse(c)
				if root == nil {
					continue
				}
				if h, _, ours := identify(root); ours && h.kind != "" {
					f(filepath.Base(name), h.kind, root, newOrigin(root, c))
				}
			}
		}
	}
}

// TestNeedsHideNothing compares what all rules say of every document of the
// stories with what those say that the document is thought to concern.
func TestNeedsHideNothing(t *testing.T) {
	passed := 0
	storyDocuments(t, func(name, kind string, root *node, origin Origin) {
		c := newChecker(kind)
		seen := c.check(root, c.root, place{"", root.at})
		set := ruleSets()[kind]
		document := newContext().Encode(seen)
		all := diag.Sort(c.ruleMistakes(set, document, origin))
		set.rules = set.selected.concerning(seen)
		some := diag.Sort(c.ruleMistakes(set, document, origin))
		// The parts begin at the same lines of the rules.
		if diff := cmp.Diff(all, some); diff != "" {
			t.Errorf("%s: a rule needs less than its @needs says:\n%s", name, diff)
		}
		if len(all) > 0 {
			passed++
		}
	})
	if passed < 5 {
		t.Errorf("only %d documents break a rule: the test does not see what it should", passed)
	}
}

// TestNeedsAreFields fails when @needs names a field that no document can have:
// the rule would never be used.
func TestNeedsAreFields(t *testing.T) {
	for _, kind := range written {
		known := map[string]bool{}
		shapes()[kind].visit("", func(_ string, s *schema) {
			for name := range s.Properties {
				known[name] = true
			}
		})
		selected := ruleSets()[kind].selected
		for _, r := range selected.rules {
			for _, name := range slices.Concat(r.needs...) {
				if !known[name] {
					t.Errorf("%s: the rule %s needs %q, which no field is called", kind, r.name, name)
				}
			}
		}
		if len(selected.rules) == 0 {
			t.Errorf("no rules of %s were found", kind)
		}
	}
}

// TestSelectionsAreBounded asks for more selections than are kept.
func TestSelectionsAreBounded(t *testing.T) {
	texts, err := schemas.CUE()
	if err != nil {
		t.Fatal(err)
	}
	more := "package v1alpha1\n"
	for i := range 8 {
		more += fmt.Sprintf("#TrafficPolicyRules: mistakes: rule%d: [] @needs(field%d)\n", i, i)
	}
	texts["more.cue"] = more
	sets, err := buildRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	selected := sets[v1alpha1.KindTrafficPolicy].selected
	for some := range 1 << 8 {
		document := map[string]any{}
		for i := range 8 {
			if some&(1<<i) != 0 {
				document[fmt.Sprintf("field%d", i)] = []any{}
			}
		}
		rules := selected.concerning(map[string]any{"spec": []any{document}})
		if some > 0 && (!rules.Exists() || rules.Err() != nil) {
			t.Fatalf("selection %d: %v", some, rules.Err())
		}
	}
	if len(selected.kept) > maxSelections {
		t.Errorf("%d selections are kept", len(selected.kept))
	}
}
