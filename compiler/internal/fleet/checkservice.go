// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// maxHost is the longest name that DNS carries (RFC 1035, without the root).
const maxHost = 253

// checkService finds what the policies of one service get wrong together.
func (b *builder) checkService(s *Service) {
	b.checkConsumers(s)
	for _, p := range s.Policies {
		b.checkBackends(s, p)
	}
	b.checkMeshGateways(s)
	b.checkHosts(s)
}

// checkConsumers: two policies may not govern one consumer.
func (b *builder) checkConsumers(s *Service) {
	for i, second := range s.Policies {
		for _, first := range s.Policies[:i] {
			var both []string
			for _, c := range second.Consumers {
				if slices.Contains(first.Consumers, c) {
					both = append(both, c.Name)
				}
			}
			if len(both) > 0 {
				b.report(mistake{code: CodeTwoConsumers, at: second.At(second.importsPath()), fix: "narrow imports.to of one of them",
					related: also(first.At(first.importsPath()), "the other policy")},
					"policies %s/%s and %s/%s both govern service %s in %s",
					first.Namespace, first.Name, second.Namespace, second.Name, s.Key(), strings.Join(both, ", "))
			}
		}
	}
}

// importsPath is the field that says which consumers a policy has.
func (p *Policy) importsPath() string {
	if p.spec.Imports != nil {
		return "spec.imports.to"
	}
	return "spec.service.name"
}

// checkBackends: a backend's cluster must export the service and be in reach
// of every consumer.
func (b *builder) checkBackends(s *Service, p *Policy) {
	for _, r := range p.Rules {
		for _, backend := range r.Backends {
			at := p.At(backend.Path + ".cluster")
			if !s.ExportedBy(backend.Cluster) {
				b.report(mistake{code: CodeNotExported, at: at, fix: fmt.Sprintf("add %s to exports.from, or remove the backend", backend.Cluster.Name),
					related: also(s.Producer.At("spec.exports.from"), "the exporters")},
					"cluster %q does not export service %s", backend.Cluster.Name, s.Key())
			}
			b.checkReach(p, p.Consumers, backend.Cluster, backend.Path+".cluster")
		}
	}
	if s.Adopted || slices.ContainsFunc(p.Rules, func(r Rule) bool { return len(r.Backends) > 0 }) {
		return
	}
	for _, e := range s.Exporters {
		b.checkReach(p, p.Consumers, e, p.importsPath())
	}
}

// checkReach reports the consumers that cannot reach a backend, in one line.
func (b *builder) checkReach(p *Policy, consumers []*Cluster, to *Cluster, path string) {
	var cut []string
	for _, c := range consumers {
		if !c.Reaches(to) {
			cut = append(cut, fmt.Sprintf("%s (eastWest %s)", c.Name, c.EastWest))
		}
	}
	if len(cut) > 0 {
		b.report(mistake{code: CodeOutOfReach, at: p.At(path), fix: "narrow imports.to, or give the clusters the same east-west provider",
			related: also(to.At(".providers.eastWest"), "its provider")},
			"%s cannot reach cluster %q (eastWest %s)", strings.Join(cut, ", "), to.Name, to.EastWest)
	}
}

// checkMeshGateways: an exporter in a mesh must let the others in. One that was
// only observed is not the author's mistake.
func (b *builder) checkMeshGateways(s *Service) {
	var consumers []*Cluster
	for _, p := range s.Policies {
		consumers = append(consumers, p.Consumers...)
	}
	if s.Adopted {
		return
	}
	for _, e := range s.Exporters {
		others := slices.ContainsFunc(consumers, func(c *Cluster) bool { return c != e })
		if e.EastWest == v1alpha1.EastWestIstio && e.Mesh.Gateway == nil && others {
			b.report(mistake{code: CodeNoMeshGateway, at: e.At(".name"), fix: "write istio.eastWestGateway with the addresses of its gateway",
				related: also(s.Producer.At("spec.service.name"), "the service")},
				"cluster %q exports service %s but has no east-west gateway", e.Name, s.Key())
		}
	}
}

// checkHosts: the names that callers use must fit in DNS.
func (b *builder) checkHosts(s *Service) {
	p := s.Producer
	longest := fmt.Sprintf("%s.%s.svc.%s", s.Name, s.Namespace, s.Set.Domain)
	for _, e := range s.Exporters {
		if e.EastWest == v1alpha1.EastWestIstio && !s.Adopted {
			if host := PartHost(s.Name, s.Namespace, e.Name, s.Set.Domain); len(host) > len(longest) {
				longest = host
			}
		}
	}
	if len(longest) > maxHost {
		b.report(mistake{code: CodeNameTooLong, at: p.At("spec.service.name"), fix: "shorten the service, the cluster or the domain"},
			"the name %s has %d characters, and DNS allows %d", longest, len(longest), maxHost)
	}
	for _, p := range s.Policies {
		if over := len(p.Name) + partNameExtra - maxHost; over > 0 {
			b.report(mistake{code: CodeNameTooLong, at: p.At("metadata.name"), fix: fmt.Sprintf("shorten it by %d characters", over)},
				"the names that follow from %q are longer than the %d characters of an object's name", p.Name, maxHost)
		}
	}
}

// partNameExtra is the longest addition to a policy's name in the names of its
// objects: a prefix with the longest name of a cluster.
const partNameExtra = len("fairlead-.") + 63

// PartHost is the name under which a mesh knows one cluster's part of a
// service.
func PartHost(service, namespace, cluster, domain string) string {
	return fmt.Sprintf("%s.%s.svc.%s.%s", service, namespace, cluster, domain)
}
