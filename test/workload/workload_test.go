// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"bytes"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/test/workload"
)

// A workload is worth measuring only if everything in it becomes objects.
func TestNothingIsMissing(t *testing.T) {
	for name, size := range map[string]workload.Size{"small": workload.Small(), "W": workload.W()} {
		t.Run(name, func(t *testing.T) {
			w := workload.New(size)
			result, diags := compiler.Compile(w.Files, w.Inventory)
			if len(diags) > 0 {
				t.Fatalf("%d diagnostics, the first: %s", len(diags), diags[0])
			}
			if len(result.Pending)+len(result.Held)+len(result.Quarantined) > 0 {
				t.Errorf("%d pending, %d held, %d quarantined: %v", len(result.Pending), len(result.Held), len(result.Quarantined),
					append(result.Pending, compiler.Pending{})[0])
			}
			if len(result.Bundles) != size.Clusters {
				t.Errorf("%d bundles of %d clusters", len(result.Bundles), size.Clusters)
			}
			for _, b := range result.Bundles {
				if len(b.Fragments) == 0 {
					t.Errorf("nothing for %s", b.Store)
				}
			}
			// Three exporters and five consumers, two of them the same clusters.
			fragments := 0
			for _, b := range result.Bundles {
				fragments += len(b.Fragments)
			}
			if tunnels := size.Clusters / 2; fragments != 6*size.Policies+tunnels {
				t.Errorf("%d fragments of %d policies and %d tunnels", fragments, size.Policies, tunnels)
			}
		})
	}
}

func TestEditionsDifferAndSizesRepeat(t *testing.T) {
	w, again := workload.New(workload.Small()), workload.New(workload.Small())
	for name, file := range w.Files {
		if !bytes.Equal(file.Data, again.Files[name].Data) {
			t.Errorf("%s differs between two workloads of one size", name)
		}
	}
	for i := range w.Policies {
		if bytes.Equal(w.Policy(i, 0), w.Policy(i, 1)) {
			t.Errorf("policy %d does not change with its edition", i)
		}
	}
}
