// SPDX-License-Identifier: Apache-2.0

package reconciler_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/gitserver"
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// setTemplate is a ClusterSet of two clusters whose keys are pinned, so that
// nothing is pending.
const setTemplate = `apiVersion: fairlead.dev/v1alpha1
kind: ClusterSet
metadata: {name: NAME}
spec:
  clusters:
  - name: cluster1
    network: {podCIDRs: [10.128.0.0/14]}
    gateways: [{name: gw, node: n1, publicKey: "bG9jYWwtY2x1c3Rlci1ub2RlLTEtcHVibGljLWtleS0=", addresses: [192.0.2.11]}]
  - name: cluster2
    network: {podCIDRs: [10.132.0.0/14]}
    gateways: [{name: gw, node: n2, publicKey: "bWFuYWdlZC1jbHVzdGVyLW5vZGUtMS1wdWIta2V5LTA=", addresses: [198.51.100.12]}]
`

// policyTemplate shares one service between the two.
const policyTemplate = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: cart, namespace: NAME}
spec:
  service: {name: cart, ports: [{port: 80}]}
  exports: {from: {clusters: [cluster1, cluster2]}}
  rules: [{backends: [{cluster: cluster1, weight: WEIGHT}, {cluster: cluster2, weight: 25}]}]
`

const clusterTemplate = `apiVersion: v1
kind: Namespace
metadata: {name: NAME}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: NAME}
spec: {ports: [{port: 80}]}
---
apiVersion: fairlead.dev/v1alpha1
kind: NodeState
metadata: {name: n1}
spec: {addresses: [192.0.2.11]}
---
apiVersion: fairlead.dev/v1alpha1
kind: NodeState
metadata: {name: n2}
spec: {addresses: [198.51.100.12]}
`

// fixture is two clusters and a repository that is served over HTTP. Its name
// keeps it apart from the other tests' on the same API servers.
type fixture struct {
	name     string
	clusters []apitest.Cluster
	clone    *gitserver.Clone
	options  reconciler.Options
}

func newFixture(t *testing.T, name string) *fixture {
	t.Helper()
	f := &fixture{name: name, clusters: apitest.Start(t, 2)}
	configs := map[string]*rest.Config{}
	for _, c := range f.clusters {
		c.CreateAll(t, f.text(clusterTemplate))
		configs[c.Name] = c.Config
	}
	root := t.TempDir()
	server, err := gitserver.Start(root, gitserver.Options{})
	check(t, err)
	t.Cleanup(func() { server.Close() })
	check(t, server.Create("policies.git"))
	f.clone, err = gitserver.NewClone(filepath.Join(t.TempDir(), "work"), server.URL("policies.git"))
	check(t, err)
	f.options = reconciler.Options{
		Source:     reconciler.Source{Repo: server.URL("policies.git"), Ref: "main"},
		Kubeconfig: apitest.Kubeconfig(t, configs),
	}
	check(t, f.clone.Write("set.yaml", f.text(setTemplate)))
	return f
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) text(template string) string { return strings.ReplaceAll(template, "NAME", f.name) }

// push commits a weight and returns the commit.
func (f *fixture) push(t *testing.T, weight int, force bool) string {
	t.Helper()
	check(t, f.clone.Write("cart.yaml", strings.ReplaceAll(f.text(policyTemplate), "WEIGHT", fmt.Sprint(weight))))
	commit, err := f.clone.Commit(fmt.Sprint("weight ", weight))
	check(t, err)
	check(t, f.clone.Push(force))
	return commit
}

// reconcile runs and returns its lines.
func (f *fixture) reconcile(t *testing.T) (reconciler.Report, string) {
	t.Helper()
	report, err := reconciler.Reconcile(context.Background(), f.options)
	check(t, err)
	var out, notes strings.Builder
	report.Text(&out, &notes)
	if !report.OK() {
		t.Fatalf("reconcile:\n%s%s", &out, &notes)
	}
	return report, out.String()
}

// versions are those of everything that Fairlead writes.
func (f *fixture) versions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range f.clusters {
		for name, version := range c.Versions(t,
			v1alpha1.GroupVersion.WithResource("appliedbundles"), v1alpha1.GroupVersion.WithResource("dataplanes"),
			v1alpha1.GroupVersion.WithResource("serviceroutes"),
			schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceimports"}) {
			all[c.Name+" "+name] = version
		}
	}
	return all
}

// TestCommitToApplied measures how long a pushed change of one policy takes to
// be in both clusters; the figure is in the log.
func TestCommitToApplied(t *testing.T) {
	f := newFixture(t, "commit")
	f.push(t, 75, false)
	report, _ := f.reconcile(t)
	if !report.Settled() {
		t.Fatalf("pending: %v", report.Pending)
	}
	start := time.Now()
	commit := f.push(t, 50, false)
	pushed := time.Now()
	report, lines := f.reconcile(t)
	if want := "cluster1: changed ServiceRoute/commit/cart\ncluster2: changed ServiceRoute/commit/cart\n"; lines != want {
		t.Errorf("got %q, want %q", lines, want)
	}
	if report.Revision != commit {
		t.Errorf("revision %s, want %s", report.Revision, commit)
	}
	t.Logf("commit and push %s, then applied in two clusters after %s",
		pushed.Sub(start).Round(time.Millisecond), time.Since(pushed).Round(time.Millisecond))
}

// TestForcedPush takes a branch that was rewritten like any other.
func TestForcedPush(t *testing.T) {
	f := newFixture(t, "forced")
	first := f.push(t, 10, false)
	f.push(t, 20, false)
	f.reconcile(t)
	check(t, f.clone.Reset(first))
	commit := f.push(t, 30, true)
	report, lines := f.reconcile(t)
	if report.Revision != commit || strings.Count(lines, "changed ServiceRoute") != 2 {
		t.Errorf("revision %s, want %s; lines:\n%s", report.Revision, commit, lines)
	}
}

// TestNothingHappensWithoutAGoodRevision tries what cannot be read.
func TestNothingHappensWithoutAGoodRevision(t *testing.T) {
	f := newFixture(t, "nothing")
	f.push(t, 10, false)
	f.reconcile(t)
	before := f.versions(t)
	for want, source := range map[string]reconciler.Source{
		"connection refused":                   {Repo: "http://127.0.0.1:1/policies.git"},
		`has no branch, tag or commit "other"`: {Repo: f.options.Source.Repo, Ref: "other"},
	} {
		options := f.options
		options.Source = source
		if _, err := reconciler.Reconcile(context.Background(), options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := reconciler.Reconcile(ctx, f.options); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v after an interrupt", err)
	}
	if diff := cmp.Diff(before, f.versions(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// TestSwappedContextsAreNoticed: the kubeconfig leads to the wrong clusters.
func TestSwappedContextsAreNoticed(t *testing.T) {
	f := newFixture(t, "swapped")
	f.push(t, 10, false)
	f.reconcile(t)
	before := f.versions(t)
	f.options.Kubeconfig = apitest.Kubeconfig(t, map[string]*rest.Config{
		"cluster1": f.clusters[1].Config, "cluster2": f.clusters[0].Config,
	})
	report, err := reconciler.Reconcile(context.Background(), f.options)
	check(t, err)
	for _, c := range report.Clusters {
		if !strings.Contains(c.Error, "correct it") {
			t.Errorf("%s: error %q", c.Name, c.Error)
		}
	}
	if diff := cmp.Diff(before, f.versions(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// TestWaitGoesRound: what is pending after the first round is there before the
// second; the report has the writes of both.
func TestWaitGoesRound(t *testing.T) {
	f := newFixture(t, "waiting")
	// A set whose namespace does not exist yet.
	f.name = "waited"
	check(t, f.clone.Write("set.yaml", f.text(setTemplate)))
	f.push(t, 10, false)
	var rounds []string
	f.options.Wait, f.options.Timeout = true, time.Minute
	f.options.Progress = func(line string) {
		if !strings.HasPrefix(line, "round ") {
			return
		}
		if rounds = append(rounds, line); len(rounds) == 1 {
			for _, c := range f.clusters {
				c.CreateAll(t, f.text(clusterTemplate))
			}
		}
	}
	report, lines := f.reconcile(t)
	if !report.Settled() || len(rounds) < 2 || strings.HasSuffix(rounds[0], " 0 pending") {
		t.Fatalf("settled %v after %q", report.Settled(), rounds)
	}
	for _, want := range []string{"cluster1: created Dataplane/waited\n", "cluster2: created ServiceImport/waited/cart\n"} {
		if strings.Count(lines, want) != 1 {
			t.Errorf("%q is not once in:\n%s", want, lines)
		}
	}
}
