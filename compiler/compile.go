// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/emit/cilium"
	"github.com/fairlead/fairlead/compiler/internal/emit/gatewayapi"
	"github.com/fairlead/fairlead/compiler/internal/emit/istio"
	"github.com/fairlead/fairlead/compiler/internal/emit/l4"
	"github.com/fairlead/fairlead/compiler/internal/emit/mcs"
	"github.com/fairlead/fairlead/compiler/internal/emit/tunnel"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// Compile turns the documents in files and what was observed of the clusters
// into one bundle per cluster. It reports every mistake at once; with an error
// among them the Result is empty, and warnings come with a full Result.
func Compile(files fs.FS, inv inventory.Inventory) (Result, []diag.Diagnostic) {
	docs, diags := source.Load(files)
	broken := diag.HasErrors(diags)
	f, found := fleet.Build(docs, inv)
	if broken {
		found = append(slices.DeleteFunc(found, mayFollow), unknownNames(docs, inv)...)
	}
	diags = append(diags, found...)
	plans, refused := plan.Build(f)
	diags = diag.Sort(append(diags, refused...))
	diag.Locate(files, diags)
	if diag.HasErrors(diags) {
		return Result{}, diags
	}
	result := Result{Allocations: f.Allocations}
	result.stages(f)
	for _, q := range f.Quarantined {
		result.Quarantined = append(result.Quarantined, Quarantined(q))
	}
	for _, p := range plans {
		result.add(p, inv)
	}
	result.sort()
	result.plain()
	plainWarnings(diags)
	return result, diags
}

// mayFollow tells whether a mistake may come from a document that was left out
// because it has a mistake of its own.
func mayFollow(d diag.Diagnostic) bool {
	switch d.Code {
	case fleet.CodeNoSet, fleet.CodeAmbiguousSet, fleet.CodeUnknownSet, fleet.CodeUnknownService, fleet.CodeTenantUnused:
		return true
	}
	return false
}

// unknownNames returns the names in policies with mistakes of their own that
// nothing has, so that they are reported together with those mistakes.
func unknownNames(docs source.Documents, inv inventory.Inventory) []diag.Diagnostic {
	if len(docs.Broken) == 0 || len(docs.ClusterSets) == 0 {
		return nil
	}
	docs.Policies = slices.Concat(docs.Policies, docs.Broken)
	_, found := fleet.Build(docs, inv)
	return slices.DeleteFunc(found, func(d diag.Diagnostic) bool {
		return d.Code != fleet.CodeUnknownCluster && d.Code != fleet.CodeUnknownSet
	})
}

// Codes returns every code that Compile can report, in the order of their
// numbers.
func Codes() []diag.Code {
	all := slices.Concat(diag.Codes(), fleet.Codes(), plan.Codes(), testCodes(), guardrailCodes(), traceCodes())
	slices.SortFunc(all, func(a, b diag.Code) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// emitters in the order of their names. Each sees the plan and nothing of the
// others.
var emitters = []func(plan.Plan) []manifest.Fragment{cilium.Emit, gatewayapi.Emit, istio.Emit, l4.Emit, mcs.Emit, tunnel.Emit}

// add takes in what one cluster needs.
func (r *Result) add(p plan.Plan, inv inventory.Inventory) {
	asked := map[manifest.FragmentID]manifest.Fragment{}
	for _, emit := range emitters {
		for _, f := range emit(p) {
			whole := asked[f.ID]
			whole.Objects = append(whole.Objects, f.Objects...)
			whole.Claims = append(whole.Claims, f.Claims...)
			asked[f.ID] = whole
		}
	}
	s := store{plan: p, held: map[manifest.FragmentID]bool{}}
	s.facts, s.known = inv.Find(p.Store)
	s.index()
	for _, n := range p.Held {
		s.hold(n.Fragment, n.Message)
	}
	for _, n := range p.Pending {
		s.wait(n.Fragment, n.Message)
	}
	bundle := s.bundle(asked)
	r.Bundles = append(r.Bundles, bundle)
	r.Held, r.Pending = append(r.Held, s.heldNotes...), append(r.Pending, s.pending...)
	for _, t := range p.Traffic {
		if !slices.ContainsFunc(bundle.Fragments, func(f manifest.Fragment) bool { return f.ID == t.Fragment }) {
			continue
		}
		r.Traffic = append(r.Traffic, Traffic{Consumer: p.Store, Fragment: t.Fragment, Service: t.Service, Rule: t.Rule, Backend: t.Backend, Tier: t.Tier, Permille: t.Permille})
	}
}

// sort brings the result into the order that its documentation promises. The
// backends of a tier, and the rules of a service, stay as written.
func (r *Result) sort() {
	slices.SortStableFunc(r.Traffic, func(a, b Traffic) int {
		return cmp.Or(cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Service, b.Service))
	})
	slices.SortStableFunc(r.Pending, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Message, b.Message))
	})
	slices.SortStableFunc(r.Held, func(a, b Held) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Message, b.Message))
	})
	slices.SortStableFunc(r.Quarantined, func(a, b Quarantined) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Fact, b.Fact))
	})
}
