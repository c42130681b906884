// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	facts "github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/inventory"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/reconciler/internal/report"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// ErrInterrupted says that the context ended before anything was written.
var ErrInterrupted = errors.New("interrupted before anything was written")

// Reconcile makes the clusters hold what the source says and reports what it
// did. An error means that nothing was written; everything that became of
// single clusters is in the Report.
func Reconcile(ctx context.Context, o Options) (Report, error) {
	snapshot, err := Take(ctx, o.Source)
	if err != nil {
		return Report{}, err
	}
	defer snapshot.Close()
	o.progress("revision " + snapshot.Revision)
	session := &compiler.Session{}
	targets, diags := o.access().targets(ctx, session, snapshot.Files)
	if diag.HasErrors(diags) {
		return Report{Revision: snapshot.Revision, Diagnostics: diags}, nil
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	var total Report
	for n := 1; ; n++ {
		one, err := round(ctx, run{snapshot, session, targets}, o.progress)
		if err != nil && n == 1 {
			return Report{}, err
		}
		if err != nil {
			return total, nil
		}
		merge(&total, one)
		o.progress(fmt.Sprintf("round %d: %d written, %d pending", n, writes(one), len(one.Pending)))
		if !o.Wait || one.OK() && one.Settled() || diag.HasErrors(one.Diagnostics) {
			return total, nil
		}
		select {
		case <-ctx.Done():
			return total, nil
		case <-deadline.C:
			return total, nil
		case <-time.After(roundInterval):
		}
	}
}

// Targets returns the clusters that the files name and the way to reach each.
// A mistake in the files is found before any cluster is asked.
func Targets(ctx context.Context, files fs.FS, a Access) ([]inventory.Target, []diag.Diagnostic) {
	return a.targets(ctx, &compiler.Session{}, files)
}

// targets is Targets for files that are compiled afterwards: documents that
// were checked here are not checked again.
func (a Access) targets(ctx context.Context, session *compiler.Session, files fs.FS) ([]inventory.Target, []diag.Diagnostic) {
	members, diags := session.Scope(files)
	targets := make([]inventory.Target, len(members))
	var group errgroup.Group
	group.SetLimit(parallelClusters)
	for i, m := range members {
		group.Go(func() error {
			config, err := a.connect(ctx, m.API)
			targets[i] = inventory.Target{Name: m.Store, ClusterSet: m.ClusterSet, Config: config, Err: err}
			return nil
		})
	}
	_ = group.Wait() // what failed is in the targets
	return targets, diags
}

// connect finds the way to one cluster; only where a Secret holds it is anybody
// asked.
func (a Access) connect(ctx context.Context, api v1alpha1.ClusterAPI) (*rest.Config, error) {
	if api.SecretRef == nil {
		return kube.Connect(a.Kubeconfig, api.Context)
	}
	hub, err := kube.Connect(a.Kubeconfig, a.Hub)
	if err != nil {
		return nil, fmt.Errorf("reach the hub: %w", err)
	}
	return kube.ConnectBySecret(ctx, hub, *api.SecretRef)
}

// run is what all rounds of one reconcile share.
type run struct {
	snapshot Snapshot
	session  *compiler.Session
	targets  []inventory.Target
}

// Collect observes the targets now.
func Collect(ctx context.Context, targets []inventory.Target) facts.Inventory {
	return inventory.Collect(ctx, targets, time.Now())
}

// round observes, compiles and applies once.
func round(ctx context.Context, all run, progress func(string)) (Report, error) {
	snapshot, targets := all.snapshot, all.targets
	inv := Collect(ctx, targets)
	if ctx.Err() != nil {
		return Report{}, ErrInterrupted
	}
	result, diags := all.session.Compile(snapshot.Files, inv)
	out := newReport(snapshot.Revision, result, diags)
	if diag.HasErrors(diags) {
		return out, nil
	}
	w := work{snapshot.Revision, result, inv, targets}
	r := rollout{result: result, progress: progress, serve: func(b manifest.Bundle) report.Cluster { return serve(ctx, b, w) }}
	out.Clusters = r.run(ctx)
	return out, nil
}

func newReport(revision string, result compiler.Result, diags []diag.Diagnostic) Report {
	return Report{Revision: revision, Clusters: []report.Cluster{}, Pending: result.Pending, Held: result.Held,
		Quarantined: result.Quarantined, Diagnostics: diags}
}

// work is what a round knows besides the bundle.
type work struct {
	revision string
	result   compiler.Result
	inv      facts.Inventory
	targets  []inventory.Target
}

// client returns a client of a cluster, or says why there is none. A cluster
// that could not be observed is not asked again in the same round.
func (w work) client(cluster string) (kube.Client, string) {
	if observed, _ := w.inv.Find(cluster); observed.Unreachable != "" {
		return kube.Client{}, observed.Unreachable
	}
	for _, t := range w.targets {
		if t.Name == cluster {
			client, err := kube.NewClient(t.Config)
			if err != nil {
				return client, kube.Explain(err)
			}
			return client, ""
		}
	}
	return kube.Client{}, "the inventory does not know it"
}

// held returns the fragments of a store that must stay as they are.
func (w work) held(store string) []manifest.FragmentID {
	var held []manifest.FragmentID
	for _, h := range w.result.Held {
		if h.Store == store {
			held = append(held, h.Fragment)
		}
	}
	return held
}

// serve applies one bundle to its cluster.
func serve(ctx context.Context, b manifest.Bundle, w work) report.Cluster {
	out := report.Cluster{Name: b.Store, Digest: b.Digest(), Actions: []report.Action{}}
	client, reason := w.client(b.Store)
	if reason != "" {
		out.Error = reason
		return out
	}
	outcome := apply.Apply(ctx, apply.Request{Client: client, Bundle: b, Revision: w.revision,
		Held: w.held(b.Store), Traffic: recorded(sharesOf(w.result, b.Store))})
	for _, a := range outcome.Actions {
		out.Actions = append(out.Actions, report.FromAction(a))
	}
	out.Error, out.Unchanged = outcome.Error, outcome.Unchanged
	return out
}

// recorded converts traffic to what an AppliedBundle holds.
func recorded(shares []compiler.Traffic) []v1alpha1.TrafficShare {
	var out []v1alpha1.TrafficShare
	for _, t := range shares {
		out = append(out, v1alpha1.TrafficShare{
			Policy: strings.TrimPrefix(string(t.Fragment), v1alpha1.KindTrafficPolicy+"/"), Service: t.Service, Rule: t.Rule, Backend: t.Backend, Tier: t.Tier, Permille: t.Permille})
	}
	return out
}

// merge adds a round to what the rounds before it did. Writes add up; what is
// still wrong or missing is as the last round saw it.
func merge(total *Report, one Report) {
	before := map[string][]report.Action{}
	for _, c := range total.Clusters {
		for _, a := range c.Actions {
			if a.Op.Writes() {
				before[c.Name] = append(before[c.Name], a)
			}
		}
	}
	*total = one
	for i, c := range total.Clusters {
		total.Clusters[i].Actions = append(before[c.Name], c.Actions...)
		if total.Clusters[i].Actions == nil {
			total.Clusters[i].Actions = []report.Action{}
		}
	}
}

// writes counts what a round wrote.
func writes(r Report) int {
	n := 0
	for _, c := range r.Clusters {
		for _, a := range c.Actions {
			if a.Op.Writes() {
				n++
			}
		}
	}
	return n
}
