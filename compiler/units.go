// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"cmp"
	"slices"
	"sync"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/workers"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// unit is what the policies of one service ask of all stores, or what is of no
// single service. It does not change once it is made.
type unit struct {
	parts []part
	diags []diag.Diagnostic
}

// parts plans and emits everything: what is shared, and service by service what
// stands alone. With an error there are no parts, because nobody will ask.
func (c *compilation) parts() []*part {
	c.views = map[string]func() *view{}
	for _, s := range c.fleet.Sets {
		for _, member := range s.Clusters {
			c.views[member.Name] = sync.OnceValue(func() *view { return newView(member.Name, c.inv) })
		}
	}
	refused := diag.HasErrors(c.diags) || c.scope
	if c.session != nil && !c.scope {
		c.session.survey(c)
	}
	var alone []*fleet.Service
	for _, s := range c.fleet.Services {
		if plan.Alone(s) {
			alone = append(alone, s)
		}
	}
	units := make([]*unit, len(alone)+1)
	workers.Each(len(units), func() func(int) {
		planner := sync.OnceValue(func() *plan.Planner { return plan.NewPlanner(c.fleet.Sets) })
		return func(i int) {
			if i == 0 {
				units[0] = c.shared(refused)
				return
			}
			units[i] = c.service(planner, alone[i-1], refused)
		}
	})
	n := 0
	for _, u := range units {
		n += len(u.parts)
	}
	parts := make([]*part, 0, n)
	for _, u := range units {
		for i := range u.parts {
			parts = append(parts, &u.parts[i])
		}
		c.diags = append(c.diags, u.diags...)
	}
	if c.session != nil && !refused && !diag.HasErrors(c.diags) {
		c.session.forget()
	}
	return parts
}

// shared makes the unit of what no service has alone, or finds the one of
// before.
func (c *compilation) shared(refused bool) *unit {
	plans := func() ([]plan.Plan, []diag.Diagnostic) { return plan.Shared(c.fleet) }
	all := func(manifest.FragmentID) bool { return true }
	if c.session == nil || refused {
		return c.unit(plans, all, refused)
	}
	return c.session.recall(c.session.sharedKey(c.fleet), func() *unit { return c.unit(plans, all, refused) })
}

// service makes the unit of one service, or finds the one of before.
func (c *compilation) service(planner func() *plan.Planner, s *fleet.Service, refused bool) *unit {
	plans := func() ([]plan.Plan, []diag.Diagnostic) { return planner().Service(s) }
	own := func(id manifest.FragmentID) bool {
		return slices.ContainsFunc(s.Policies, func(p *fleet.Policy) bool { return id == plan.Fragment(p) })
	}
	if c.session == nil || refused {
		return c.unit(plans, own, refused)
	}
	return c.session.recall(c.session.key(s), func() *unit { return c.unit(plans, own, refused) })
}

// unit plans and emits the fragments that are wanted.
func (c *compilation) unit(plans func() ([]plan.Plan, []diag.Diagnostic), wanted func(manifest.FragmentID) bool, refused bool) *unit {
	all, diags := plans()
	u := &unit{diags: diags}
	if refused || diag.HasErrors(diags) {
		return u
	}
	for _, p := range all {
		u.parts = append(u.parts, c.views[p.Store]().part(p, wanted))
	}
	return u
}

// assemble puts parts together, in whatever order they come.
func (r *Result) assemble(sets []*fleet.Set, parts []*part) {
	type key struct{ set, store string }
	places := map[key]int{}
	for _, s := range sets {
		for _, c := range s.Clusters {
			r.Bundles = append(r.Bundles, manifest.Bundle{Store: c.Name, ClusterSet: s.Name, API: c.API})
		}
	}
	slices.SortFunc(r.Bundles, func(a, b manifest.Bundle) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.ClusterSet, b.ClusterSet))
	})
	for i, b := range r.Bundles {
		places[key{b.ClusterSet, b.Store}] = i
	}
	// Everything has its place before it is copied there: there is much of it.
	at, fragments := make([]int, len(parts)), make([]int, len(r.Bundles))
	traffic := make([]int, len(r.Bundles)+1)
	for n, p := range parts {
		i := places[key{p.set, p.store}]
		at[n], fragments[i], traffic[i+1] = i, fragments[i]+len(p.fragments), traffic[i+1]+len(p.traffic)
		r.Held, r.Pending = append(r.Held, p.held...), append(r.Pending, p.pending...)
	}
	for i, n := range fragments {
		r.Bundles[i].Fragments, traffic[i+1] = make([]manifest.Fragment, 0, n), traffic[i]+traffic[i+1]
	}
	r.Traffic = make([]Traffic, traffic[len(r.Bundles)])
	for n, p := range parts {
		i := at[n]
		r.Bundles[i].Fragments = append(r.Bundles[i].Fragments, p.fragments...)
		traffic[i] += copy(r.Traffic[traffic[i]:], p.traffic)
	}
	workers.Each(len(r.Bundles), func() func(int) {
		return func(i int) {
			slices.SortFunc(r.Bundles[i].Fragments, func(a, b manifest.Fragment) int { return cmp.Compare(a.ID, b.ID) })
		}
	})
	r.sort()
	r.Pending, r.Held = slices.Compact(r.Pending), slices.Compact(r.Held)
}
