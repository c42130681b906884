// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/netip"
	"reflect"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fingerprint"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/internal/workers"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// Memory remembers the sets, and the services whose policies name no other
// service, so that a Build resolves only what changed. Its zero value is empty
// and ready for use. It holds what the last Build used and nothing else, which
// is changed by the next one: a Fleet is good until then. One Build at a time.
type Memory struct {
	hasher *fingerprint.Hasher
	ground *ground
	// services by the document of their first policy; all stand on the ground.
	services map[source.Identity]*resolved
}

// ground is what policies are resolved on: the sets, with what was observed of
// their clusters.
type ground struct {
	key   fingerprint.Sum
	sets  []*Set
	shows map[inventory.Name][]Sighting
	found findings
}

// resolved is a service and what is wrong with it: with the policies, and
// beside others and what was observed.
type resolved struct {
	service        *Service
	found, checked findings
	// known: checked is from before.
	known bool
}

// Build does what the function Build does.
func (m *Memory) Build(docs source.Documents, inv inventory.Inventory) (*Fleet, []diag.Diagnostic) {
	if m.hasher == nil {
		m.hasher = fingerprint.New(fingerprint.Names{
			reflect.TypeFor[*Cluster](): func(c any) string { return c.(*Cluster).Name },
		})
	}
	return build(docs, inv, m)
}

// groundKey identifies everything that the ground follows from.
func (m *Memory) groundKey(docs source.Documents, inv inventory.Inventory) fingerprint.Sum {
	sums := make([]any, len(inv.Clusters))
	workers.Each(len(sums), func() func(int) {
		return func(i int) { sums[i] = m.hasher.Of(&inv.Clusters[i]) }
	})
	var of struct {
		documents []source.Identity
		// named are the services whose facts are of interest.
		named []inventory.Name
	}
	for _, s := range docs.ClusterSets {
		of.documents = append(of.documents, s.Origin.Identity())
	}
	for _, p := range docs.Policies {
		of.named = append(of.named, inventory.Name{Namespace: p.Namespace, Name: p.Spec.Service.Name})
	}
	return m.hasher.Of(append(sums, &of)...)
}

// ground resolves the sets, or finds them as they were before anything was
// allotted.
func (b *builder) ground(docs source.Documents) {
	var key fingerprint.Sum
	if m := b.memory; m != nil {
		key = m.groundKey(docs, b.inv)
		if g := m.ground; g != nil && g.key == key {
			g.renew()
			b.fleet.Sets, b.shows = g.sets, g.shows
			b.take(&g.found)
			return
		}
	}
	b.sets(docs.ClusterSets)
	b.checkSets()
	if m := b.memory; m != nil {
		m.ground = &ground{key: key, sets: b.fleet.Sets, shows: b.shows, found: b.findings.clone()}
		m.services = nil // they stand on another one
	}
}

// renew takes from the clusters what follows from policies and the ledger.
func (g *ground) renew() {
	for _, s := range g.sets {
		for _, c := range s.Clusters {
			c.Global, c.Egress, c.Mapped = c.pinned, nil, nil
			for _, gw := range c.Gateways {
				gw.Key, gw.Addresses, gw.NodeAddresses, gw.Tunnel, gw.told = "", nil, nil, netip.Addr{}, nil
			}
		}
	}
}

func (f findings) clone() findings {
	return findings{diags: slices.Clone(f.diags), quarantined: slices.Clone(f.quarantined), absent: slices.Clone(f.absent), kept: slices.Clone(f.kept)}
}

// recall finds a service of before that has the same policies, without what it
// was allotted; nil where there is none.
func (m *Memory) recall(policies []*source.Policy) *resolved {
	if m == nil {
		return nil
	}
	r := m.services[policies[0].Origin.Identity()]
	if r == nil || !slices.EqualFunc(r.service.Policies, policies, func(p *Policy, doc *source.Policy) bool {
		return p.Document == doc.Origin.Identity()
	}) {
		return nil
	}
	s := r.service
	s.Virtual, s.Virtual6, s.Parts, s.Exports, s.Senders = netip.Addr{}, netip.Addr{}, nil, nil, nil
	r.known = true
	return r
}

// remember keeps services for the next Build.
func (m *Memory) remember(all []*resolved) {
	if m == nil {
		return
	}
	m.services = make(map[source.Identity]*resolved, len(all))
	for _, r := range all {
		first := r.service.Policies[0].Document
		if first != (source.Identity{}) && !slices.ContainsFunc(r.service.Policies, (*Policy).NamesOthers) {
			m.services[first] = r
		}
	}
}

// NamesOthers tells whether some backend is another service.
func (p *Policy) NamesOthers() bool {
	other := func(b Backend) bool { return !b.Own() }
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return r.Mirror != nil && other(*r.Mirror) || slices.ContainsFunc(r.Backends, other)
	})
}

// sum identifies a service by its policies and what was observed of it.
func (m *Memory) sum(s *Service) fingerprint.Sum {
	var of struct {
		documents []source.Identity
		shown     []Sighting
	}
	for _, p := range s.Policies {
		of.documents = append(of.documents, p.Document)
	}
	of.shown = s.shown
	return m.hasher.Of(&of)
}
