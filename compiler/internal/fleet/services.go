// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/internal/workers"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// services gathers the policies of each service and resolves what they say
// together, or finds that again.
func (b *builder) services(docs []source.Policy) []*resolved {
	drafts := b.drafts(docs)
	all := make([]*resolved, len(drafts))
	workers.Each(len(drafts), func() func(int) {
		own := *b
		return func(i int) {
			if all[i] = b.memory.recall(drafts[i].policies); all[i] != nil {
				return
			}
			own.findings = findings{}
			all[i] = &resolved{service: own.resolve(drafts[i])}
			all[i].found = own.findings
		}
	})
	b.governed = make(map[[3]string]*Service, len(all))
	for _, r := range all {
		s := r.service
		b.take(&r.found)
		b.fleet.Services = append(b.fleet.Services, s)
		b.governed[[3]string{s.Set.Name, s.Namespace, s.Name}] = s
		for _, e := range s.Exporters {
			b.offers[e] = append(b.offers[e], s)
		}
	}
	return all
}

// draft is a service of which only the documents are known.
type draft struct {
	set             *Set
	namespace, name string
	policies        []*source.Policy
}

// drafts gathers the policies of each service whose ClusterSet can be told. The
// services are sorted by namespace, name and set, the policies of each by name.
func (b *builder) drafts(docs []source.Policy) []*draft {
	byKey := make(map[[3]string]*draft, len(docs))
	out := make([]*draft, 0, len(docs))
	for i := range docs {
		p := &docs[i]
		set := b.setOf(p)
		if set == nil {
			continue
		}
		k := [3]string{set.Name, p.Namespace, p.Spec.Service.Name}
		d := byKey[k]
		if d == nil {
			d = &draft{set: set, namespace: p.Namespace, name: p.Spec.Service.Name}
			byKey[k], out = d, append(out, d)
		}
		d.policies = append(d.policies, p)
	}
	for _, d := range out {
		slices.SortStableFunc(d.policies, func(x, y *source.Policy) int { return cmp.Compare(x.Name, y.Name) })
	}
	slices.SortFunc(out, func(x, y *draft) int {
		if order := cmp.Compare(x.namespace, y.namespace); order != 0 {
			return order
		}
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.set.Name, y.set.Name))
	})
	return out
}

// resolve finds out what the policies of one service say together. The
// producer's parts come first: who consumes may follow from who exports.
func (b *builder) resolve(d *draft) *Service {
	s := &Service{Set: d.set, Namespace: d.namespace, Name: d.name, key: d.namespace + "/" + d.name, Policies: make([]*Policy, len(d.policies))}
	for i, doc := range d.policies {
		s.Policies[i] = b.policy(doc, d.set)
	}
	all := b.shows[inventory.Name{Namespace: s.Namespace, Name: s.Name}]
	s.shown = make([]Sighting, 0, len(all))
	for _, found := range all {
		if found.Cluster.Set == s.Set {
			s.shown = append(s.shown, found)
		}
	}
	b.producer(s)
	b.exporters(s)
	b.resolvePorts(s)
	for _, p := range s.Policies {
		b.consumers(s, p)
		s.defaults(p)
	}
	if b.memory != nil {
		s.Sum = b.memory.sum(s)
	}
	return s
}

// checkServices finds what is wrong with each service beside others, and what
// clusters lack of it.
func (b *builder) checkServices(all []*resolved) {
	workers.Each(len(all), func() func(int) {
		own := *b
		return func(i int) {
			r := all[i]
			if r.known {
				return
			}
			own.findings = findings{}
			own.checkService(r.service)
			own.observedService(r.service)
			r.checked = own.findings
		}
	})
	for _, r := range all {
		b.take(&r.checked)
	}
}

// others finds the services of others that backends name.
func (b *builder) others() {
	var policies []*Policy
	for _, s := range b.fleet.Services {
		for _, p := range s.Policies {
			if p.NamesOthers() {
				policies = append(policies, p)
			}
		}
	}
	slices.SortStableFunc(policies, func(x, y *Policy) int {
		return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	resolve := func(p *Policy, backend *Backend) {
		if !backend.Own() {
			backend.Other = b.governed[[3]string{p.Set.Name, cmp.Or(backend.Namespace, p.Namespace), cmp.Or(backend.Service, p.Service)}]
			backend.Other.sent(Sender{b.governed[[3]string{p.Set.Name, p.Namespace, p.Service}], p})
		}
	}
	for _, p := range policies {
		for i := range p.Rules {
			r := &p.Rules[i]
			for j := range r.Backends {
				resolve(p, &r.Backends[j])
			}
			if r.Mirror != nil {
				resolve(p, r.Mirror)
			}
		}
	}
}

// sent notes a policy that sends requests to the service, which may be nil.
func (s *Service) sent(by Sender) {
	if s != nil && by.Service != nil && !slices.Contains(s.Senders, by) {
		s.Senders = append(s.Senders, by)
	}
}

// comparePorts orders ports by number, then transport.
func comparePorts(a, b Port) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Transport(), b.Transport()))
}

// exporters finds the clusters that offer the service: those that the producer
// names; otherwise those that backends name; with neither, those where a
// ServiceExport exists already.
func (b *builder) exporters(s *Service) {
	if e := s.Producer.spec.Exports; e != nil {
		c := b.choose(s.Producer.speaks(), e.From, "spec.exports.from")
		s.offer(c.all())
		b.only(s.Producer, c, (*Cluster).Exports)
		return
	}
	var named []*Cluster
	for _, p := range s.Policies {
		for _, r := range p.Rules {
			for _, backend := range r.Backends {
				if backend.Own() {
					named = append(named, backend.Cluster)
				}
			}
		}
	}
	s.offer(unique(named))
	if len(named) > 0 {
		return
	}
	s.Adopted = true
	for _, c := range s.Set.Clusters {
		if c.Exports() && slices.ContainsFunc(c.Facts.Exports, s.is) {
			s.Exporters = append(s.Exporters, c)
		}
	}
}

// offer divides clusters into those that export and those on their way out.
func (s *Service) offer(clusters []*Cluster) {
	for _, c := range clusters {
		if c.Exports() {
			s.Exporters = append(s.Exporters, c)
		} else {
			s.leaving = append(s.leaving, c)
		}
	}
}

// named are the exporters by the documents, whatever their state; none where
// they were only observed.
func (s *Service) named() []*Cluster {
	if s.Adopted {
		return nil
	}
	return unique(slices.Concat(s.Exporters, s.leaving))
}

// consumers finds the clusters that a policy governs: those that it names,
// otherwise all that the topology and the providers let reach an exporter, and
// for gateways alone only those that have some. Who governs whom never follows
// from what was observed.
func (b *builder) consumers(s *Service, p *Policy) {
	stays := func(c *Cluster) bool { return !c.Removed() }
	if i := p.spec.Imports; i != nil {
		p.Consumers = b.only(p, b.choose(p.speaks(), i.To, "spec.imports.to"), stays)
		return
	}
	exporters := s.named()
	for _, c := range s.Set.Clusters {
		serves := p.Mesh || c.NorthSouth != v1alpha1.NorthSouthNone
		if stays(c) && serves && (s.Adopted || c.reachesAny(exporters)) {
			p.Consumers = append(p.Consumers, c)
		}
	}
}

// Tiers returns the backends of a rule as a consumer sees them, best first.
// Without backends they are the exporters by distance; none where the rule
// answers by itself. A tier with nobody but the lost keeps nothing and is left
// out.
func (s *Service) Tiers(r Rule, consumer *Cluster) [][]Backend {
	backends := slices.Clone(r.Backends)
	if len(backends) == 0 && !r.Answers() {
		for _, e := range s.Exporters {
			if consumer.Reaches(e) {
				backends = append(backends, Backend{Cluster: e, Weight: 1, Priority: distanceBetween(consumer, e), Path: "spec.service"})
			}
		}
	}
	byPriority := map[int32][]Backend{}
	var priorities []int32
	for _, backend := range backends {
		if byPriority[backend.Priority] == nil {
			priorities = append(priorities, backend.Priority)
		}
		byPriority[backend.Priority] = append(byPriority[backend.Priority], backend)
	}
	slices.Sort(priorities)
	tiers := make([][]Backend, 0, len(priorities))
	for _, priority := range priorities {
		if slices.ContainsFunc(byPriority[priority], func(b Backend) bool { return !b.Lost && b.Weight > 0 }) {
			tiers = append(tiers, byPriority[priority])
		}
	}
	if len(tiers) == 1 {
		// What it cannot keep goes to its other backends, in proportion.
		tiers[0] = slices.DeleteFunc(tiers[0], func(b Backend) bool { return b.Lost })
	}
	return tiers
}

// distanceBetween is 0 for the same cluster, 1 for the same zone, 2 for the
// same region and 3 for everything else. What is not written is nowhere near.
func distanceBetween(a, b *Cluster) int32 {
	sameRegion := a.Region != "" && a.Region == b.Region
	switch {
	case a == b:
		return 0
	case sameRegion && a.Zone != "" && a.Zone == b.Zone:
		return 1
	case sameRegion:
		return 2
	}
	return 3
}
