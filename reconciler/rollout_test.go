// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/report"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// staged is a rollout over clusters c1 to c4 of set a and c5 of set b, which
// has no stages; it notes who is served in which order.
func staged(soak v1alpha1.Duration, outcome map[string]report.Cluster) (*rollout, *[]string) {
	r := &rollout{progress: func(string) {}}
	for _, name := range []string{"c1", "c2", "c3", "c4", "c5"} {
		set := "a"
		if name == "c5" {
			set = "b"
		}
		r.result.Bundles = append(r.result.Bundles, manifest.Bundle{Store: name, ClusterSet: set})
	}
	r.result.Stages = []compiler.Stage{{ClusterSet: "a", Name: "canary", Clusters: []string{"c2"}, Soak: soak},
		{ClusterSet: "a", Name: "some", Clusters: []string{"c1", "c3"}}, {ClusterSet: "a", Name: "rest", Clusters: []string{"c4"}}}
	var lock sync.Mutex
	var order []string
	r.serve = func(b manifest.Bundle) report.Cluster {
		lock.Lock()
		defer lock.Unlock()
		order = append(order, b.Store)
		out := outcome[b.Store]
		out.Name = b.Store
		return out
	}
	return r, &order
}

func failures(clusters []report.Cluster) map[string]string {
	out := map[string]string{}
	for _, c := range clusters {
		if !c.OK() {
			out[c.Name] = c.Error
		}
	}
	return out
}

func TestStagesOneAfterTheOther(t *testing.T) {
	r, order := staged("1h", nil)
	if got := failures(r.run(context.Background())); len(got) > 0 {
		t.Errorf("errors %v", got)
	}
	*order = slices.DeleteFunc(*order, func(c string) bool { return c == "c5" })
	slices.Sort((*order)[1:3])
	if diff := cmp.Diff([]string{"c2", "c1", "c3", "c4"}, *order); diff != "" {
		t.Errorf("order: %s", diff)
	}
}

// A stage of which one cluster fails stops the later ones; another set does not
// care. What is pending or held is no failure.
func TestAStageThatFailsStopsTheLaterOnes(t *testing.T) {
	failed := report.Cluster{Actions: []report.Action{{Op: apply.Failed}}}
	pending := report.Cluster{Actions: []report.Action{{Op: apply.Pending}, {Op: apply.Held}}}
	r, order := staged("", map[string]report.Cluster{"c2": pending, "c3": failed, "c1": {Error: "connection refused"}})
	got := failures(r.run(context.Background()))
	want := map[string]string{"c1": "connection refused", "c3": "", "c4": "stage rest was not begun: stage some is not complete (c1, c3)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if slices.Contains(*order, "c4") || !slices.Contains(*order, "c5") {
		t.Errorf("served %v", *order)
	}
}

// The pause is kept only after a change, is announced, and ends with the
// context.
func TestSoakIsInterrupted(t *testing.T) {
	changed := report.Cluster{Actions: []report.Action{{Op: apply.Changed}}}
	r, order := staged("1h", map[string]report.Cluster{"c2": changed})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var said []string
	r.progress = func(line string) {
		said = append(said, line)
		cancel()
	}
	got := failures(r.run(ctx))
	for _, c := range []string{"c1", "c3", "c4"} {
		if !strings.HasSuffix(got[c], "was not begun: interrupted after stage canary") {
			t.Errorf("%s: %q", c, got[c])
		}
	}
	if want := []string{"stage canary is served; stage some begins in 1h0m0s"}; !slices.Equal(said, want) {
		t.Errorf("said %q", said)
	}
	if slices.Contains(*order, "c1") {
		t.Errorf("served %v", *order)
	}
}

// After a soak the next stage begins.
func TestSoakEnds(t *testing.T) {
	changed := report.Cluster{Actions: []report.Action{{Op: apply.Changed}}}
	r, order := staged("1ms", map[string]report.Cluster{"c2": changed})
	if got := failures(r.run(context.Background())); len(got) > 0 || len(*order) != 5 {
		t.Errorf("errors %v after %v", got, *order)
	}
}
