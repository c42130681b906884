// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// services gathers the policies of each service and resolves what they say
// together. The producer's parts come first: who consumes may follow from who
// exports.
func (b *builder) services() {
	byService := map[[3]string]*Service{}
	for _, p := range b.all {
		k := [3]string{p.Set.Name, p.Namespace, p.Service}
		s := byService[k]
		if s == nil {
			s = &Service{Set: p.Set, Namespace: p.Namespace, Name: p.Service}
			byService[k] = s
			b.fleet.Services = append(b.fleet.Services, s)
		}
		s.Policies = append(s.Policies, p)
	}
	slices.SortFunc(b.fleet.Services, func(x, y *Service) int {
		return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Set.Name, y.Set.Name))
	})
	for _, s := range b.fleet.Services {
		b.producer(s)
		b.access(s)
		b.exporters(s)
		b.resolvePorts(s)
		for _, p := range s.Policies {
			b.consumers(s, p)
		}
	}
}

// producer finds the policy that has the producer's parts. Where none has, the
// first by name writes the exports.
func (b *builder) producer(s *Service) {
	var exports, ports *Policy
	for _, p := range s.Policies {
		if p.spec.Exports != nil {
			if exports != nil {
				b.report(mistake{code: CodeTwoProducers, at: p.At("spec.exports"), fix: "remove exports from one of them",
					related: also(exports.At("spec.exports"), "the other one")},
					"policies %s/%s and %s/%s both export service %s", exports.Namespace, exports.Name, p.Namespace, p.Name, s.Key())
			} else {
				exports = p
			}
		}
		if len(p.spec.Service.Ports) > 0 {
			if ports != nil && !slices.Equal(ports.spec.Service.Ports, p.spec.Service.Ports) {
				b.report(mistake{code: CodeTwoProducers, at: p.At("spec.service.ports"), fix: "write the same ports, or leave them out of one",
					related: also(ports.At("spec.service.ports"), "the other one")},
					"policies %s/%s and %s/%s give service %s different ports", ports.Namespace, ports.Name, p.Namespace, p.Name, s.Key())
			} else if ports == nil {
				ports = p
			}
		}
	}
	s.Producer = s.Policies[0]
	if exports != nil {
		s.Producer = exports
	}
	if ports != nil {
		s.PortsFrom = ports
		for i, port := range ports.spec.Service.Ports {
			s.Ports = append(s.Ports, Port{Number: port.Port, Protocol: cmp.Or(port.Protocol, v1alpha1.ProtocolTCP),
				Path: fmt.Sprintf("spec.service.ports[%d]", i)})
		}
		slices.SortFunc(s.Ports, comparePorts)
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
		s.Exporters = b.choose(s.Producer, e.From, "spec.exports.from")
		return
	}
	for _, p := range s.Policies {
		for _, r := range p.Rules {
			for _, backend := range r.Backends {
				s.Exporters = append(s.Exporters, backend.Cluster)
			}
		}
	}
	s.Exporters = unique(s.Exporters)
	if len(s.Exporters) > 0 {
		return
	}
	s.Adopted = true
	for _, c := range s.Set.Clusters {
		if slices.ContainsFunc(c.Facts.Exports, s.is) {
			s.Exporters = append(s.Exporters, c)
		}
	}
}

// consumers finds the clusters that a policy governs: those that it names,
// otherwise all that can reach an exporter. Who governs whom never follows from
// what was observed.
func (b *builder) consumers(s *Service, p *Policy) {
	if i := p.spec.Imports; i != nil {
		p.Consumers = b.choose(p, i.To, "spec.imports.to")
		return
	}
	for _, c := range s.Set.Clusters {
		if s.Adopted || slices.ContainsFunc(s.Exporters, c.Reaches) {
			p.Consumers = append(p.Consumers, c)
		}
	}
}

// Reaches tells whether pods of the cluster can be connected to services of
// another: through tunnels between two that Fairlead routes, through east-west
// gateways between two meshes.
func (c *Cluster) Reaches(other *Cluster) bool {
	return c == other || c.EastWest == other.EastWest
}

// Tiers returns the backends of a rule as a consumer sees them, best first.
// Without backends they are the exporters by distance.
func (s *Service) Tiers(r Rule, consumer *Cluster) [][]Backend {
	backends := r.Backends
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
	tiers := make([][]Backend, len(priorities))
	for i, priority := range priorities {
		tiers[i] = byPriority[priority]
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
