// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	facts "github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/reconciler/internal/report"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// CompareLive reports what a reconcile would change in the clusters as they are
// now. It writes nothing.
func CompareLive(ctx context.Context, o Options) (Report, error) {
	snapshot, err := Take(ctx, o.Source)
	if err != nil {
		return Report{}, err
	}
	defer snapshot.Close()
	session := &compiler.Session{}
	targets, diags := o.access().targets(ctx, session, snapshot.Files)
	if diag.HasErrors(diags) {
		return Report{Revision: snapshot.Revision, DryRun: true, Diagnostics: diags}, nil
	}
	inv := Collect(ctx, targets)
	if ctx.Err() != nil {
		return Report{}, ErrInterrupted
	}
	result, diags := session.Compile(snapshot.Files, inv)
	out := newReport(snapshot.Revision, result, diags)
	out.DryRun = true
	out.Clusters = make([]report.Cluster, len(result.Bundles))
	shares := make([][]report.Share, len(result.Bundles))
	w := work{snapshot.Revision, result, inv, targets}
	var group errgroup.Group
	group.SetLimit(parallelClusters)
	for i, b := range result.Bundles {
		group.Go(func() error {
			out.Clusters[i], shares[i] = preview(ctx, b, w)
			return nil
		})
	}
	_ = group.Wait() // what fails is in the cluster's part of the report
	out.Traffic = slices.Concat(shares...)
	return out, judge(ctx, &out, snapshot.Files, inv)
}

// preview compares one bundle with what its cluster holds.
func preview(ctx context.Context, b manifest.Bundle, w work) (report.Cluster, []report.Share) {
	out := report.Cluster{Name: b.Store, Digest: b.Digest(), Actions: []report.Action{}}
	client, reason := w.client(b.Store)
	if reason != "" {
		out.Error = reason
		return out, nil
	}
	state, err := apply.Read(ctx, client, b)
	if err != nil {
		out.Error = kube.Explain(err)
		return out, nil
	}
	plan := apply.NewPlan(state, b, w.held(b.Store))
	out.Unchanged = plan.Unchanged
	for _, a := range plan.Noted {
		out.Actions = append(out.Actions, report.FromAction(a))
	}
	for _, s := range plan.Steps {
		before, after := s.Texts()
		out.Actions = append(out.Actions, difference(b.Store, s.Op(), versions{s.Ref, s.Fragment, before, after}))
	}
	sortDifferences(out.Actions)
	before, err := state.Traffic()
	if err != nil {
		out.Error = err.Error()
		return out, nil
	}
	after := apply.KeepHeld(recorded(sharesOf(w.result, b.Store)), before, w.held(b.Store))
	return out, report.CompareTraffic(unrecorded(b.Store, before), unrecorded(b.Store, after))
}

// unrecorded converts what an AppliedBundle holds to traffic.
func unrecorded(consumer string, shares []v1alpha1.TrafficShare) []compiler.Traffic {
	var out []compiler.Traffic
	for _, t := range shares {
		out = append(out, compiler.Traffic{Consumer: consumer, Service: t.Service, Rule: t.Rule, Backend: t.Backend, Tier: t.Tier, Permille: t.Permille})
	}
	return out
}

// versions are an object before and after, as canonical YAML.
type versions struct {
	ref           manifest.Ref
	fragment      manifest.FragmentID
	before, after []byte
}

func difference(cluster string, op apply.Op, v versions) report.Action {
	a := report.FromAction(apply.Action{Op: op, Ref: v.ref, Fragment: v.fragment})
	a.Diff = report.Diff(cluster, v.ref.String(), v.before, v.after)
	return a
}

// sortDifferences puts a difference in the order of its objects: what belongs
// together is read together.
func sortDifferences(actions []report.Action) {
	slices.SortFunc(actions, func(a, b report.Action) int {
		return cmp.Or(cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Op, b.Op))
	})
}

// CompareBase reports what a revision changes against another, both compiled
// with the same inventory. No cluster is asked.
func CompareBase(ctx context.Context, o Options, base string, inv facts.Inventory) (Report, error) {
	snapshot, err := Take(ctx, o.Source)
	if err != nil {
		return Report{}, err
	}
	defer snapshot.Close()
	source := o.Source
	source.Ref = base
	old, err := Take(ctx, source)
	if err != nil {
		return Report{}, err
	}
	defer old.Close()
	before, diags := compiler.Compile(old.Files, inv)
	if diag.HasErrors(diags) && !slices.ContainsFunc(diags, noDocuments) {
		return Report{}, fmt.Errorf("the base %s has mistakes, so nothing can be compared with it; the first: %s", base, diags[0])
	}
	if len(before.Allocations) > 0 {
		// What the base allotted is what the clusters have.
		inv.Ledger = before.Allocations
	}
	after, diags := compiler.Compile(snapshot.Files, inv)
	out := newReport(snapshot.Revision, after, diags)
	out.DryRun, out.Base, out.Assumed = true, old.Revision, assumptions(inv, time.Now())
	if diag.HasErrors(diags) {
		return out, nil
	}
	out.Clusters = compareResults(before, after)
	out.Traffic = report.CompareTraffic(before.Traffic, after.Traffic)
	return out, judge(ctx, &out, snapshot.Files, inv)
}

// noDocuments tells whether a diagnostic only says that there is nothing of
// ours: then the change is the first.
func noDocuments(d diag.Diagnostic) bool { return d.Code == diag.CodeNoDocuments }

// assumptions lists what a comparison without clusters takes for granted.
func assumptions(inv facts.Inventory, now time.Time) []string {
	age := "of unknown age"
	if at, err := time.Parse(time.RFC3339, inv.CollectedAt); err == nil {
		age = fmt.Sprintf("%s old (collected %s)", now.Sub(at).Round(time.Minute), inv.CollectedAt)
	}
	lines := []string{"the clusters are as the inventory says, which is " + age,
		"the clusters hold what the base says"}
	for _, c := range inv.Clusters {
		if c.Unreachable != "" {
			lines = append(lines, fmt.Sprintf("%s was not observed: %s", c.Name, c.Unreachable))
		}
	}
	return lines
}
