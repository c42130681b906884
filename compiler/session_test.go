// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/workload"
	"github.com/google/go-cmp/cmp"
)

// edits change a workload in one way each: what people write, what is observed,
// and what is wrong.
var edits = map[string]func(w *workload.Workload, r *rand.Rand){
	"weights": func(w *workload.Workload, r *rand.Rand) { w.Edit(r.IntN(w.Policies), r.IntN(50)) },
	"removed": func(w *workload.Workload, r *rand.Rand) { delete(w.Files, workload.FileOf(r.IntN(w.Policies))) },
	"added":   func(w *workload.Workload, r *rand.Rand) { w.Edit(r.IntN(w.Policies), 0) },
	"moved": func(w *workload.Workload, r *rand.Rand) {
		replace(w, r, "# ", "# another line\n# ")
	},
	"minimum": func(w *workload.Workload, r *rand.Rand) {
		replace(w, r, "spec:\n", "spec:\n  failover: {minHealthy: 72%}\n")
	},
	"consumers": func(w *workload.Workload, r *rand.Rand) { replace(w, r, "clusters: [cluster-000, ", "clusters: [") },
	"wrong name": func(w *workload.Workload, r *rand.Rand) {
		replace(w, r, "from: {clusters: [", "from: {clusters: [nowhere, ")
	},
	"broken": func(w *workload.Workload, r *rand.Rand) { replace(w, r, "spec:", "specs:") },
	"region": func(w *workload.Workload, r *rand.Rand) {
		rewrite(w, "clusterset.yaml", "region-1", fmt.Sprintf("region-%d", 1+r.IntN(3)))
	},
	"port name": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		c.Services = slices.Clone(c.Services)
		s := &c.Services[r.IntN(len(c.Services))]
		s.Ports = slices.Clone(s.Ports)
		s.Ports[0].Name = fmt.Sprintf("http-%d", r.IntN(3))
	},
	"no service": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		if len(c.Services) > 1 {
			c.Services = c.Services[1:]
		}
	},
	"unreachable": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		c.Unreachable = []string{"", "connection refused"}[r.IntN(2)]
	},
	"foreign": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[1]
		c.Foreign = []inventory.Object{{APIVersion: "networking.istio.io/v1", Kind: "VirtualService", Namespace: "team-000", Name: "theirs",
			Hosts: []string{fmt.Sprintf("service-%05d", 1+2*r.IntN(5))}}}
	},
	"no kind": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		c.Kinds = slices.DeleteFunc(slices.Clone(c.Kinds), func(k string) bool { return strings.HasPrefix(k, "Service") })
	},
	"draining": func(w *workload.Workload, r *rand.Rand) {
		region := fmt.Sprintf("region: region-%d\n", r.IntN(5))
		rewrite(w, "clusterset.yaml", region, region+"    state: draining\n")
	},
	"ledger": func(w *workload.Workload, r *rand.Rand) {
		w.Inventory.Ledger = slices.Clone(w.Inventory.Ledger)
		if n := len(w.Inventory.Ledger); n > 0 {
			a, b := &w.Inventory.Ledger[r.IntN(n)], &w.Inventory.Ledger[r.IntN(n)]
			a.Value, b.Value = b.Value, a.Value
			a.From = []string{"cluster-002", "cluster-004"}[:r.IntN(3)]
		}
	},
	"no ledger": func(w *workload.Workload, _ *rand.Rand) { w.Inventory.Ledger = nil },
	"no namespace": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		c.Namespaces = slices.DeleteFunc(slices.Clone(c.Namespaces), func(n string) bool { return n == "team-001" })
	},
	"key": func(w *workload.Workload, r *rand.Rand) {
		c := &w.Inventory.Clusters[r.IntN(w.Clusters)]
		c.Nodes = slices.Clone(c.Nodes)
		c.Nodes[0].PublicKey = w.Inventory.Clusters[0].Nodes[0].PublicKey
	},
}

// replace changes a text of a policy.
func replace(w *workload.Workload, r *rand.Rand, from, to string) {
	rewrite(w, workload.FileOf(r.IntN(w.Policies)), from, to)
}

func rewrite(w *workload.Workload, name, from, to string) {
	if f := w.Files[name]; f != nil {
		w.Files[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(f.Data), from, to, 1))}
	}
}

// What a Session finds again must be what a compile from nothing makes,
// whatever changed in between.
func TestASessionForgetsNoChange(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range edits {
			if !yield(name) {
				return
			}
		}
	})
	const runs, steps = 4, 16
	for range runs {
		w, session := workload.New(workload.Size{Clusters: 12, Policies: 24}), compiler.Session{}
		for step := range steps {
			name := "nothing"
			if step > 0 {
				name = names[r.IntN(len(names))]
				edits[name](&w, r)
			}
			cold, want := compiler.Compile(w.Files, w.Inventory)
			warm, got := session.Compile(w.Files, w.Inventory)
			if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
				t.Fatalf("step %d, %s: other diagnostics:\n%s", step, name, diff)
			}
			if a, b := everything(cold), everything(warm); a != b {
				t.Fatalf("step %d, %s: another result:\n%s", step, name, cmp.Diff(a, b))
			}
			if len(cold.Allocations) > 0 {
				w.Inventory.Ledger = cold.Allocations
			}
			if diag.HasErrors(want) {
				w = workload.New(w.Size)
			}
		}
	}
}

func texts(ds []diag.Diagnostic) []string {
	out := []string{}
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%+v", d))
	}
	return out
}
