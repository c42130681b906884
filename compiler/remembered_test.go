// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"testing"

	"github.com/fairlead/fairlead/test/workload"
)

// What a change does not touch is found again: that is what a Session is for.
// Whether it is the right thing other tests say.
func TestAChangeMakesItsOwnUnitAlone(t *testing.T) {
	w, session := workload.New(workload.Small()), &Session{}
	const policy = 3
	file := workload.FileOf(policy)
	for _, step := range []struct {
		name   string
		change func()
		made   int
	}{
		{"the first compile", func() {}, w.Policies + 1},
		{"nothing", func() {}, 0},
		{"a weight", func() { w.Edit(policy, 7) }, 1},
		{"a line", func() { w.Files[file].Data = append([]byte("# more\n"), w.Files[file].Data...) }, 1},
		{"removed", func() { delete(w.Files, file) }, 0},
		{"added", func() { w.Edit(policy, 8) }, 1},
		{"a port of its Service", func() { w.Inventory.Clusters[1].Services[0].Ports[0].Name = "web" }, 1},
		{"a namespace", func() { w.Inventory.Clusters[1].Namespaces = append(w.Inventory.Clusters[1].Namespaces, "more") }, w.Policies + 1},
	} {
		step.change()
		before := session.before
		result, diags := session.Compile(w.Files, w.Inventory)
		if len(diags) > 0 {
			t.Fatalf("%s: %v", step.name, diags)
		}
		w.Inventory.Ledger = result.Allocations
		known, made := map[*unit]bool{}, 0
		for _, u := range before {
			known[u] = true
		}
		for _, u := range session.before {
			if !known[u] {
				made++
			}
		}
		if made != step.made {
			t.Errorf("%s: %d units were made, not %d", step.name, made, step.made)
		}
	}
}
