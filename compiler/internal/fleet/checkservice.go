// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// maxHost is the longest name that DNS carries (RFC 1035, without the root).
const maxHost = 253

// checkService finds what the policies of one service get wrong together.
func (b *builder) checkService(s *Service) {
	b.checkConsumers(s)
	for _, p := range s.Policies {
		b.checkBackends(s, p)
		b.checkAccessPorts(s, p)
		b.checkTenant(s, p)
	}
	b.checkExporters(s)
	b.checkMeshGateways(s)
	b.checkHosts(s)
}

// importsPath is the field that says which consumers a policy has.
func (p *Policy) importsPath() string {
	if p.spec.Imports != nil {
		return "spec.imports.to"
	}
	return "spec.service.name"
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
		others := slices.ContainsFunc(consumers, func(c *Cluster) bool { return c.Reaches(e) && !c.Near(e) && !c.Tunnelled(e) })
		if e.EastWest == v1alpha1.EastWestIstio && e.Mesh.Gateway == nil && others {
			b.report(mistake{code: CodeNoMeshGateway, at: e.At(".name"), fix: "write istio.eastWestGateway with the addresses of its gateway",
				related: also(s.Producer.At("spec.service.name"), "the service")},
				"cluster %q exports service %s but has no east-west gateway", e.Name, s.Key())
		}
		if e.EastWest == v1alpha1.EastWestIstio && e.Mesh.Gateway != nil && others && s.Producer.TLS == v1alpha1.TLSDisable {
			b.report(mistake{code: CodeNoMeshGateway, at: s.Producer.At("spec.tls.mode"), fix: "remove it, or join the clusters by tunnels"},
				"the east-west gateway of cluster %q passes nobody on in clear text to service %s", e.Name, s.Key())
		}
		if e.EastWest == v1alpha1.EastWestIstio && e.Mesh.Gateway == nil && !others && !e.Tunnelled(e) {
			if at, ok := s.fallsBackHome(e); ok {
				b.report(mistake{code: CodeNoMeshGateway, at: e.At(".name"), fix: "write istio.eastWestGateway with the addresses of its gateway", related: also(at, "the backend")},
					"cluster %q has no east-west gateway, through which its callers reach the pods of service %s there where others fail", e.Name, s.Key())
			}
		}
	}
}

// fallsBackHome finds a backend in a cluster that takes, of what its own callers
// send, the share of one in another cluster. With one control plane for several
// clusters none stands behind a gateway of its own.
func (s *Service) fallsBackHome(c *Cluster) (diag.Position, bool) {
	if slices.ContainsFunc(c.Set.Clusters, func(o *Cluster) bool { return o != c && o.Mesh.ControlPlane == c.Mesh.ControlPlane }) {
		return diag.Position{}, false
	}
	for _, p := range s.Policies {
		if !slices.Contains(p.Consumers, c) {
			continue
		}
		for _, r := range p.Rules {
			tiers := s.Tiers(r, c)
			for _, home := range slices.Concat(tiers...) {
				away := func(head Backend) bool {
					return head.Weight > 0 && head.Cluster != c && head.Own() && head.Port == home.Port
				}
				if home.Cluster == c && home.Weight > 0 && home.Own() && slices.ContainsFunc(tiers[0], away) {
					return p.At(home.Path), true
				}
			}
		}
	}
	return diag.Position{}, false
}

// Tunnelled tells whether tunnels of Fairlead's join the cluster to another, so
// that its pods reach export addresses there.
func (c *Cluster) Tunnelled(other *Cluster) bool {
	return c.Tunnels() && other.Tunnels() && len(c.Gateways) > 0 && len(other.Gateways) > 0
}

// Near tells whether pods of the cluster reach those of another without a
// gateway: in the same cluster, or in one network of one mesh.
func (c *Cluster) Near(other *Cluster) bool {
	home := c.Mesh.ControlPlane
	return c == other || c.JoinedWith(other) && home != nil && home == other.Mesh.ControlPlane && c.Mesh.Network == other.Mesh.Network &&
		c.EastWest == v1alpha1.EastWestIstio && other.EastWest == v1alpha1.EastWestIstio
}

// checkHosts: the names that callers use must fit in DNS.
func (b *builder) checkHosts(s *Service) {
	p := s.Producer
	longest := ""
	for _, e := range s.Exporters {
		if e.EastWest == v1alpha1.EastWestIstio && !s.Adopted && len(e.Name) > len(longest) {
			longest = e.Name
		}
	}
	if longest = hostOf(s.Name, s.Namespace, longest, s.Set.Domain); len(longest) > maxHost {
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
	return hostOf(service, namespace, cluster, domain)
}

// hostOf is the name of a service, or of a cluster's part of it where there is
// one.
func hostOf(service, namespace, cluster, domain string) string {
	if cluster != "" {
		cluster += "."
	}
	return service + "." + namespace + ".svc." + cluster + domain
}
