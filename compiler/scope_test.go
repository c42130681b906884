// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/workload"
)

// Scope names the clusters that Compile has bundles for, and says of documents
// what Compile says.
func TestScopeIsWhatCompileIsFor(t *testing.T) {
	w := workload.New(workload.Size{Clusters: 12, Policies: 4})
	for _, wrong := range []string{"", "from: {clusters: [nowhere, "} {
		if wrong != "" {
			rewrite(&w, workload.FileOf(1), "from: {clusters: [", wrong)
		}
		result, want := compiler.Compile(w.Files, inventory.Inventory{})
		var bundles []compiler.Member
		for _, b := range result.Bundles {
			bundles = append(bundles, compiler.Member{Store: b.Store, ClusterSet: b.ClusterSet, API: b.API})
		}
		var session compiler.Session
		for name, scope := range map[string]func() ([]compiler.Member, []string){
			"function": func() ([]compiler.Member, []string) {
				members, ds := compiler.Scope(w.Files)
				return members, texts(ds)
			},
			"session": func() ([]compiler.Member, []string) {
				members, ds := session.Scope(w.Files)
				return members, texts(ds)
			},
		} {
			members, got := scope()
			if diff := cmp.Diff(bundles, members); diff != "" {
				t.Errorf("%s: other clusters:\n%s", name, diff)
			}
			if diff := cmp.Diff(texts(want), got); diff != "" {
				t.Errorf("%s: other diagnostics:\n%s", name, diff)
			}
		}
	}
}
