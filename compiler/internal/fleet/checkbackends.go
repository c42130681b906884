// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/source"
)

// checkBackends: a backend's cluster must export its service, with its port,
// and be in reach of every consumer.
func (b *builder) checkBackends(s *Service, p *Policy) {
	named := false
	for _, r := range p.Rules {
		all := r.Backends
		if r.Mirror != nil {
			all = append(slices.Clone(all), *r.Mirror)
		}
		for _, backend := range all {
			named = named || backend.Own()
			b.checkBackend(s, p, backend)
			b.checkReach(p, p.Consumers, backend.Cluster, backend.Path+".cluster")
		}
	}
	if !named {
		b.checkReachAny(s, p)
	}
}

// checkBackend compares one backend with the service that it names.
func (b *builder) checkBackend(s *Service, p *Policy, backend Backend) {
	of := s
	if !backend.Own() {
		if of = backend.Other; of == nil {
			b.unknownService(s, p, backend)
			return
		}
	}
	b.checkPort(s, of, p, backend)
	if of.Adopted && of != s || backend.Lost || of.ExportedBy(backend.Cluster) {
		return
	}
	m := mistake{code: CodeNotExported, at: p.At(backend.Path + ".cluster"), fix: fmt.Sprintf("add %s to exports.from, or remove the backend", backend.Cluster.Name),
		related: also(of.Producer.At("spec.exports.from"), "the exporters")}
	if of.Producer.spec.Exports == nil {
		m.related = also(of.Producer.At("spec.service.name"), "the service")
		m.fix = fmt.Sprintf("add %s to exports.from of policy %s/%s", backend.Cluster.Name, of.Producer.Namespace, of.Producer.Name)
	}
	b.report(m, "cluster %q does not export service %s", backend.Cluster.Name, of.Key())
}

// unknownService reports a backend whose service no policy speaks of.
func (b *builder) unknownService(s *Service, p *Policy, backend Backend) {
	path := backend.Path + ".service"
	if backend.Service == "" {
		path = backend.Path + ".namespace"
	}
	var known []string
	for _, other := range b.fleet.Services {
		if other.Set == s.Set && other != s {
			known = append(known, other.Key())
		}
	}
	wanted := cmp.Or(backend.Namespace, p.Namespace) + "/" + cmp.Or(backend.Service, p.Service)
	fix := "write a policy that exports it"
	if near, ok := source.Nearest(wanted, known); ok {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	b.report(mistake{code: CodeUnknownService, at: p.At(path), fix: fix}, "no policy exports service %s", wanted)
}

// checkPort: where the ports of the backend's service are listed, the one that
// is asked for is among them: its own, or each that can be called.
func (b *builder) checkPort(s, of *Service, p *Policy, backend Backend) {
	if !of.PortsGiven() {
		return
	}
	path, wanted := backend.Path+".port", []int32{backend.Port}
	if backend.Port == 0 {
		if of == s || !s.PortsGiven() {
			return
		}
		path, wanted = backend.Path, nil
		for _, port := range s.Ports {
			wanted = append(wanted, port.Number)
		}
	}
	for _, number := range wanted {
		if !of.hasPort(number) {
			b.report(mistake{code: CodeUnknownPort, at: p.At(path), fix: "there are " + of.portsText(),
				related: also(of.PortsFrom.At("spec.service.ports"), "its ports")}, "service %s has no port %d", of.Key(), number)
		}
	}
}

func (s *Service) hasPort(number int32) bool {
	return slices.ContainsFunc(s.Ports, func(p Port) bool { return p.Number == number })
}

func (s *Service) portsText() string {
	var out []string
	for _, p := range s.Ports {
		out = append(out, strconv.Itoa(int(p.Number)))
	}
	return strings.Join(slices.Compact(out), ", ")
}

// checkAccessPorts: a port in an access block is a governed one.
func (b *builder) checkAccessPorts(s *Service, p *Policy) {
	for _, r := range p.allow {
		for i, number := range r.Ports {
			if s.PortsGiven() && !s.hasPort(int32(number)) {
				b.report(mistake{code: CodeUnknownPort, at: p.At(fmt.Sprintf("%s.ports[%d]", r.Path, i)), fix: "there are " + s.portsText(),
					related: also(s.PortsFrom.At("spec.service.ports"), "the governed ports")}, "port %d of service %s is not governed", number, s.Key())
			}
		}
	}
}

// checkExporters: a cluster that is named as an exporter must be in reach of
// somebody.
func (b *builder) checkExporters(s *Service) {
	e := s.Producer.spec.Exports
	if e == nil {
		return
	}
	var consumers []*Cluster
	for _, p := range s.Policies {
		consumers = append(consumers, p.Consumers...)
	}
	consumers = unique(consumers)
	for i, name := range e.From.Clusters {
		c := s.Set.Cluster(name)
		if c == nil || !s.ExportedBy(c) || slices.ContainsFunc(consumers, func(from *Cluster) bool { return from.Reaches(c) }) {
			continue
		}
		b.checkReach(s.Producer, consumers, c, fmt.Sprintf("spec.exports.from.clusters[%d]", i))
	}
}
