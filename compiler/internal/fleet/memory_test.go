// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"
	"testing"

	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/test/workload"
)

// TestWhatIsResolvedAgain: a change of a policy resolves its service alone, a
// change of what was observed, or of whose facts count, everything.
func TestWhatIsResolvedAgain(t *testing.T) {
	w := workload.New(workload.Small())
	var cache source.Cache
	var memory Memory
	const policy = 3
	var before []*Service
	for _, step := range []struct {
		name   string
		change func()
		made   int
	}{
		{"the first time", func() {}, w.Policies},
		{"nothing", func() {}, 0},
		{"a weight", func() { w.Edit(policy, 7) }, 1},
		{"a key", func() { w.Inventory.Clusters[0].Nodes[0].PublicKey = w.Inventory.Clusters[2].Nodes[0].PublicKey }, w.Policies},
		{"removed", func() { delete(w.Files, workload.FileOf(policy)) }, w.Policies - 1},
	} {
		step.change()
		docs, diags := cache.Load(w.Files)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		f, diags := memory.Build(docs, w.Inventory)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		made := 0
		for _, s := range f.Services {
			if !slices.Contains(before, s) {
				made++
			}
		}
		if before = f.Services; made != step.made {
			t.Errorf("%s: %d services were resolved, not %d", step.name, made, step.made)
		}
	}
}

// Documents that no Cache has seen cannot be told apart, and are not remembered.
func TestUnknownDocumentsAreNotRemembered(t *testing.T) {
	w := workload.New(workload.Small())
	var memory Memory
	for _, edition := range []int{0, 7} {
		w.Edit(3, edition)
		docs, _ := source.Load(w.Files)
		got, _ := memory.Build(docs, w.Inventory)
		want, _ := Build(docs, w.Inventory)
		for i, s := range want.Services {
			if a, b := s.Policies[0].Rules[0].Backends, got.Services[i].Policies[0].Rules[0].Backends; a[0].Weight != b[0].Weight {
				t.Errorf("edition %d: weight %d of %s, not %d", edition, b[0].Weight, s.Key(), a[0].Weight)
			}
		}
	}
}
