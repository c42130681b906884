// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// producer finds the policies that have the producer's parts: at most one has
// each. Where none exports, the first by name writes the exports.
func (b *builder) producer(s *Service) {
	s.Producer = s.Policies[0]
	exports := b.only1(s, "spec.exports", "export service", func(p *Policy) bool { return p.spec.Exports != nil })
	if exports != nil {
		s.Producer = exports
	}
	if p := b.only1(s, "spec.healthCheck", "check the health of service", func(p *Policy) bool { return p.spec.HealthCheck != nil }); p != nil {
		s.HealthCheck = p.spec.HealthCheck
	}
	p := b.only1(s, "spec.access", "say who may call service", func(p *Policy) bool { return p.spec.Access != nil })
	switch {
	case p != nil:
		s.Access = &Access{Allow: p.allow, By: p}
	case s.Set.Deny:
		s.Access = &Access{}
	}
	b.producerPorts(s)
	b.producerNames(s)
}

// only1 finds the policy that has a part of the producer's, and reports every
// further one.
func (b *builder) only1(s *Service, path, what string, has func(*Policy) bool) *Policy {
	var first *Policy
	for _, p := range s.Policies {
		switch {
		case !has(p):
		case first == nil:
			first = p
		default:
			b.report(mistake{code: CodeTwoProducers, at: p.At(path), fix: fmt.Sprintf("remove %s from one of them", path[len("spec."):]),
				related: also(first.At(path), "the other one")},
				"policies %s/%s and %s/%s both %s %s", first.Namespace, first.Name, p.Namespace, p.Name, what, s.Key())
		}
	}
	return first
}

// producerPorts takes the ports from the policy that lists them. Others may
// repeat them.
func (b *builder) producerPorts(s *Service) {
	for _, p := range s.Policies {
		if len(p.spec.Service.Ports) == 0 {
			continue
		}
		if from := s.PortsFrom; from == nil {
			s.PortsFrom = p
		} else if !slices.Equal(from.spec.Service.Ports, p.spec.Service.Ports) {
			b.report(mistake{code: CodeTwoProducers, at: p.At("spec.service.ports"), fix: "write the same ports, or leave them out of one",
				related: also(from.At("spec.service.ports"), "the other one")},
				"policies %s/%s and %s/%s give service %s different ports", from.Namespace, from.Name, p.Namespace, p.Name, s.Key())
		}
	}
	if s.PortsFrom == nil {
		return
	}
	s.Ports = make([]Port, 0, len(s.PortsFrom.spec.Service.Ports))
	for i, port := range s.PortsFrom.spec.Service.Ports {
		s.Ports = append(s.Ports, Port{Number: port.Port, Protocol: cmp.Or(port.Protocol, v1alpha1.ProtocolTCP),
			Path: indexed("spec.service.ports", i)})
	}
	slices.SortFunc(s.Ports, comparePorts)
}

// producerNames gives all policies the names that one of them asks for.
func (b *builder) producerNames(s *Service) {
	var from *Policy
	for _, p := range s.Policies {
		switch {
		case !p.Names.Asked:
		case from == nil:
			from = p
		case p.Names != from.Names:
			b.report(mistake{code: CodeTwoProducers, at: p.At("spec.service.names"), fix: "write the same names, or leave them out of one",
				related: also(from.At("spec.service.names"), "the other one")},
				"policies %s/%s and %s/%s give service %s different names", from.Namespace, from.Name, p.Namespace, p.Name, s.Key())
		}
	}
	for _, p := range s.Policies {
		if from != nil {
			p.Names = from.Names
		}
	}
}
