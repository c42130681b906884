// SPDX-License-Identifier: Apache-2.0

package reconciler_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler"
)

// TestACanaryStopsTheRest: while the first stage cannot be served, nothing is
// written in the second; afterwards both are.
func TestACanaryStopsTheRest(t *testing.T) {
	f := newFixture(t, "staged")
	check(t, f.clone.Write("set.yaml", f.text(setTemplate)+"  rollout: {stages: [{name: canary, clusters: [cluster2], soak: 1ms}, {name: rest}]}\n"))
	f.push(t, 10, false)
	before, good := f.versions(t), f.options.Kubeconfig
	closed := rest.CopyConfig(f.clusters[1].Config)
	closed.Host = "127.0.0.1:1"
	f.options.Kubeconfig = apitest.Kubeconfig(t, map[string]*rest.Config{"cluster1": f.clusters[0].Config, "cluster2": closed})
	report, err := reconciler.Reconcile(context.Background(), f.options)
	check(t, err)
	if got, want := report.Clusters[0].Error, "stage rest was not begun: stage canary is not complete (cluster2)"; got != want || report.OK() {
		t.Errorf("cluster1: %q, want %q", got, want)
	}
	if diff := cmp.Diff(before, f.versions(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
	f.options.Kubeconfig = good
	if _, lines := f.reconcile(t); !strings.Contains(lines, "cluster1: created ") || !strings.Contains(lines, "cluster2: created ") {
		t.Errorf("lines:\n%s", lines)
	}
}

// TestRemovedClusterIsEmptied: everything of Fairlead's leaves a cluster that
// is removed, and nothing of anybody else's.
func TestRemovedClusterIsEmptied(t *testing.T) {
	f := newFixture(t, "leaving")
	f.push(t, 10, false)
	f.reconcile(t)
	check(t, f.clone.Write("set.yaml", strings.Replace(f.text(setTemplate), "- name: cluster2\n", "- name: cluster2\n    state: removed\n", 1)))
	f.push(t, 20, false)
	_, lines := f.reconcile(t)
	for _, want := range []string{"cluster2: pruned Dataplane/leaving\n", "cluster2: pruned ServiceRoute/leaving/cart\n", "cluster2: pruned ServiceExport/leaving/cart\n"} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is not in:\n%s", want, lines)
		}
	}
	if _, lines := f.reconcile(t); lines != "" {
		t.Errorf("a second run did:\n%s", lines)
	}
}
