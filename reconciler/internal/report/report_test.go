// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/report"
)

// traffic reads shares from lines "consumer service rule tier backend permille".
func traffic(t *testing.T, lines ...string) []compiler.Traffic {
	t.Helper()
	var all []compiler.Traffic
	for _, line := range lines {
		f := strings.Fields(line)
		number := func(s string) (n int32) {
			for _, digit := range s {
				n = n*10 + int32(digit-'0')
			}
			return n
		}
		all = append(all, compiler.Traffic{Consumer: f[0], Service: f[1], Rule: f[2], Tier: number(f[3]), Backend: f[4], Permille: number(f[5])})
	}
	return all
}

func TestTrafficLines(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want []string }{
		"shifted": {
			[]string{"cluster1 default/reviews 0 0 cluster2/v3 750", "cluster1 default/reviews 0 0 cluster1 250"},
			[]string{"cluster1 default/reviews 0 0 cluster2/v3 500", "cluster1 default/reviews 0 0 cluster1 500"},
			[]string{"reviews@cluster1: cluster2/v3 75 → 50 %", "reviews@cluster1: cluster1 25 → 50 %"},
		},
		"same": {[]string{"c default/a 0 0 c 1000"}, []string{"c default/a 0 0 c 1000"}, nil},
		"new and removed": {
			[]string{"c default/a 0 0 old 1000"}, []string{"c default/a 0 0 new 333"},
			[]string{"a@c: new new 33.3 %", "a@c: old removed (was 100 %)"},
		},
		"rules and tiers": {
			nil, []string{"c default/a canary 0 x 1000", "c default/a 1 0 x 1000", "c default/a 1 1 y 1000"},
			[]string{"a@c rule 1 tier 0: x new 100 %", "a@c rule 1 tier 1: y new 100 %", "a@c rule canary tier 0: x new 100 %"},
		},
		"two namespaces": {
			nil, []string{"c one/a 0 0 x 1000", "c two/a 0 0 x 1000"},
			[]string{"one/a@c: x new 100 %", "two/a@c: x new 100 %"},
		},
	} {
		r := report.Report{Traffic: report.CompareTraffic(traffic(t, c.before...), traffic(t, c.after...))}
		var out, notes strings.Builder
		r.Text(&out, &notes)
		want := strings.Join(c.want, "\n")
		if diff := cmp.Diff(want, strings.TrimSpace(out.String())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestText(t *testing.T) {
	object := report.Action{Op: apply.Changed, APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: "cart"}
	r := report.Report{
		Clusters: []report.Cluster{
			{Name: "cluster1", Actions: []report.Action{object, {Op: apply.Held, Kind: "Dataplane", Name: "p", Message: "theirs"},
				{Op: apply.Claimed, Kind: "Service", Name: "web"}, {Op: apply.Pending, Kind: "Service", Name: "late", Message: "not there"}}},
			{Name: "cluster2", Error: "connection refused"},
		},
		Pending:     []compiler.Pending{{Store: "cluster1", Fragment: "ClusterSet/p", Message: "no key yet"}},
		Held:        []compiler.Held{{Store: "cluster1", Fragment: "TrafficPolicy/shop/cart", Message: "taken", Position: diag.Position{File: "a.yaml", Line: 3, Column: 18}}},
		Quarantined: []compiler.Quarantined{{Cluster: "cluster2", Fact: "key", Message: "not believed"}},
	}
	var out, notes strings.Builder
	r.Text(&out, &notes)
	if want := "cluster1: changed Service/shop/cart\ncluster1: claimed Service/web\n"; out.String() != want {
		t.Errorf("out: got %q, want %q", out.String(), want)
	}
	want := `cluster1: held Dataplane/p: theirs
cluster1: pending Service/late: not there
cluster2: error: connection refused
pending: cluster1: ClusterSet/p: no key yet
held: cluster1: TrafficPolicy/shop/cart (a.yaml:3:18): taken
quarantined: cluster2: key: not believed
`
	if diff := cmp.Diff(want, notes.String()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if r.OK() || r.Settled() {
		t.Error("a report with a failed cluster and something pending is neither OK nor settled")
	}
}

func TestDryRunText(t *testing.T) {
	diff := report.Diff("cluster1", "Service/shop/cart", []byte("a: 1\nb: 2\n"), []byte("a: 1\nb: 3\n"))
	r := report.Report{DryRun: true, Assumed: []string{"the inventory is as old as x"}, Clusters: []report.Cluster{
		{Name: "cluster1", Actions: []report.Action{{Op: apply.Changed, Diff: diff}}},
		{Name: "cluster2", Actions: []report.Action{{Op: apply.Pending, Kind: "Service", Name: "late", Message: "not there"}}},
	}}
	var out, notes strings.Builder
	r.Text(&out, &notes)
	want := `--- cluster1/Service/shop/cart
+++ cluster1/Service/shop/cart
@@ -1,2 +1,2 @@
 a: 1
-b: 2
+b: 3
1 object in 1 cluster: 0 to create, 1 to change, 0 to prune; 0 traffic changes
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("out (-want +got):\n%s", d)
	}
	if notes.String() != "assumed: the inventory is as old as x\ncluster2: pending Service/late: not there\n" {
		t.Errorf("notes: %q", notes.String())
	}
	r.Clusters = r.Clusters[1:]
	if r.Changes() || r.Settled() {
		t.Error("what only waits is neither a change nor settled")
	}
}

func TestErrorsComeAlone(t *testing.T) {
	r := report.Report{Diagnostics: []diag.Diagnostic{{Code: "FL1001", Severity: diag.Error, Message: "broken", Position: diag.Position{File: "a.yaml", Line: 1}}}}
	var out, notes strings.Builder
	r.Text(&out, &notes)
	if out.Len() > 0 || notes.String() != "a.yaml:1: error FL1001: broken\n" || r.OK() {
		t.Errorf("out %q, notes %q, OK %v", out.String(), notes.String(), r.OK())
	}
}
