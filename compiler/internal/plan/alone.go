// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
)

// Alone tells whether the plan of a service follows from itself, its
// ClusterSets, and what was observed of the Service of its name. Others share a
// gateway with, or send to, what other policies speak of.
func Alone(s *fleet.Service) bool {
	return len(s.Senders) == 0 && !slices.ContainsFunc(s.Policies, func(p *fleet.Policy) bool {
		return len(p.Gateways) > 0 || p.NamesOthers()
	})
}

// Shared returns the plan of every cluster as Build does, without the services
// that are Alone.
func Shared(f *fleet.Fleet) ([]Plan, []diag.Diagnostic) {
	return build(f, slices.DeleteFunc(slices.Clone(f.Services), Alone))
}

// Planner plans one service after the other. What Build plans is what Shared
// plans and, for each service that is Alone, what a Planner plans of it.
type Planner struct {
	b *builder
	// empty are the plans without any service, in the builder's order.
	empty []Plan
}

// NewPlanner returns a Planner for services of these sets.
func NewPlanner(sets []*fleet.Set) *Planner {
	p := &Planner{b: newBuilder(sets)}
	for _, c := range p.b.order {
		p.empty = append(p.empty, *p.b.plans[c])
	}
	return p
}

// Service returns the plans of a service that is Alone, sorted by store: those
// in which something of it stands.
func (p *Planner) Service(s *fleet.Service) ([]Plan, []diag.Diagnostic) {
	p.b.service(s)
	var out []Plan
	for i, c := range p.b.order {
		at := p.b.plans[c]
		if at.blank() {
			continue
		}
		one := *at
		*at = p.empty[i]
		if at.Mesh != nil {
			// The plan that was handed out has the other one.
			mesh := *at.Mesh
			one.Mesh, mesh.Services, mesh.Routes = at.Mesh, nil, nil
			p.empty[i].Mesh, at.Mesh = &mesh, &mesh
		}
		one.finish()
		out = append(out, one)
	}
	diags := p.b.diags
	p.b.diags = nil
	slices.SortFunc(out, byStore)
	return out, diag.Sort(diags)
}

// blank tells whether nothing stands in a plan of single services.
func (p *Plan) blank() bool {
	here := len(p.Services) + len(p.Routes) + len(p.Parts) + len(p.Pending) + len(p.Held) + len(p.Traffic)
	if p.Mesh != nil {
		here += len(p.Mesh.Services) + len(p.Mesh.Routes)
	}
	return here == 0
}
