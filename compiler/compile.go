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
	return (&compilation{inv: inv}).run(files)
}

// compilation is one run of Compile.
type compilation struct {
	inv   inventory.Inventory
	fleet *fleet.Fleet
	// views are made once somebody asks for them.
	views map[string]func() *view
	// diags are all mistakes until now.
	diags []diag.Diagnostic
	// session is nil where nothing is remembered.
	session *Session
	// scope: only what the documents say is asked for.
	scope bool
}

func (c *compilation) run(files fs.FS) (Result, []diag.Diagnostic) {
	docs, diags := c.load(files)
	f, found := c.build(docs)
	if diag.HasErrors(diags) {
		found = append(slices.DeleteFunc(found, mayFollow), unknownNames(docs, c.inv)...)
	}
	c.fleet, c.diags = f, append(diags, found...)
	parts := c.parts()
	c.diags = diag.Sort(c.diags)
	diag.Locate(files, c.diags)
	if diag.HasErrors(c.diags) {
		return Result{}, c.diags
	}
	result := Result{Allocations: f.Allocations}
	result.stages(f)
	for _, q := range f.Quarantined {
		result.Quarantined = append(result.Quarantined, Quarantined(q))
	}
	result.assemble(f.Sets, parts)
	result.place(docs)
	result.plain()
	plainWarnings(c.diags)
	return result, c.diags
}

func (c *compilation) load(files fs.FS) (source.Documents, []diag.Diagnostic) {
	if c.session == nil {
		return source.Load(files)
	}
	return c.session.documents.Load(files)
}

// build resolves the documents. A scope knows nothing of clusters, and would put
// that in the place of what is remembered.
func (c *compilation) build(docs source.Documents) (*fleet.Fleet, []diag.Diagnostic) {
	if c.session == nil || c.scope {
		return fleet.Build(docs, c.inv)
	}
	return c.session.fleet.Build(docs, c.inv)
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

// unknownNames returns the names that nothing has and that mistakes elsewhere
// would hide: those in policies with mistakes of their own, and, while a
// ClusterSet has one, in all policies.
func unknownNames(docs source.Documents, inv inventory.Inventory) []diag.Diagnostic {
	docs.ClusterSets = slices.Concat(docs.ClusterSets, docs.BrokenSets)
	if len(docs.Broken)+len(docs.BrokenSets) == 0 || len(docs.ClusterSets) == 0 {
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

// add takes in what one cluster needs, without anything that is shared with
// other clusters.
func (r *Result) add(p plan.Plan, inv inventory.Inventory) {
	all := newView(p.Store, inv).part(p, func(manifest.FragmentID) bool { return true })
	r.Bundles = append(r.Bundles, manifest.Bundle{Store: p.Store, ClusterSet: p.ClusterSet, API: p.API, Fragments: all.fragments})
}

// sort brings the result into the order that its documentation promises. The
// backends of a tier, and the rules of a service, stay as written.
func (r *Result) sort() {
	byConsumer := func(a, b Traffic) int {
		if order := cmp.Compare(a.Consumer, b.Consumer); order != 0 {
			return order
		}
		return cmp.Compare(a.Service, b.Service)
	}
	if !slices.IsSortedFunc(r.Traffic, byConsumer) {
		slices.SortStableFunc(r.Traffic, byConsumer)
	}
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
