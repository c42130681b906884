// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Fragment is the name of a policy's fragments.
func Fragment(p *fleet.Policy) manifest.FragmentID {
	return manifest.FragmentID("TrafficPolicy/" + p.Namespace + "/" + p.Name)
}

// service plans one service in every cluster that exports or consumes it.
func (b *builder) service(s *fleet.Service) {
	for _, p := range s.Policies {
		b.acceptances(p)
		stores := slices.Clone(p.Consumers)
		if p == s.Producer {
			stores = append(stores, s.Exporters...)
		}
		slices.SortFunc(stores, func(x, y *fleet.Cluster) int { return strings.Compare(x.Name, y.Name) })
		for _, c := range slices.Compact(stores) {
			out := Service{Fragment: Fragment(p), Cluster: c.Name, Namespace: s.Namespace, Name: s.Name, Policy: p.Name,
				EastWest: c.EastWest, Headless: s.Headless}
			known := b.ports(&out, s, c)
			if p == s.Producer && s.ExportedBy(c) {
				b.export(&out, s, c)
			}
			if p.Mesh && slices.Contains(p.Consumers, c) {
				b.consume(&out, consumer{s, p, c}, known)
			}
			b.plans[c].Services = append(b.plans[c].Services, out)
			if c.EastWest == v1alpha1.EastWestIstio {
				mesh := b.plans[c.Mesh.ControlPlane].Mesh
				mesh.Services = append(mesh.Services, out)
			}
		}
	}
}

// ports fills in the governed ports and says whether all that must be known of
// them is.
func (b *builder) ports(out *Service, s *fleet.Service, c *fleet.Cluster) bool {
	local := s.PortsOf(c)
	for _, p := range s.Ports {
		// The endpoints in a cluster have the port names of its own Service, and
		// its pods their own ports.
		p.Target = 0
		if i := slices.IndexFunc(local, p.Same); i >= 0 {
			p.Name, p.AppProtocol, p.Target = local[i].Name, local[i].AppProtocol, local[i].Target
		}
		out.Ports = append(out.Ports, Port{Name: p.Name, Number: p.Number, Protocol: p.Protocol, Transport: p.Transport(), AppProtocol: p.AppProtocol, Target: p.Target})
	}
	if s.Disputed != "" {
		b.held(c, out.Fragment, s.Disputed)
		return false
	}
	if blind := firstUnreachable(s); blind != nil && (len(s.Ports) == 0 || !s.NamesKnown) {
		b.hold(c, out.Fragment, blind, "the ports of Service "+s.Key())
		return false
	}
	switch {
	case len(s.Exporters) == 0:
		b.pending(c, out.Fragment, "no cluster exports Service %s yet", s.Key())
		return false
	case len(s.Ports) == 0:
		b.pending(c, out.Fragment, "ports of Service %s: no exporter (%s) shows them yet", s.Key(), exporterNames(s))
		return false
	case !s.NamesKnown:
		b.pending(c, out.Fragment, "names of the ports of Service %s: no exporter (%s) shows them yet", s.Key(), exporterNames(s))
		return false
	}
	return true
}

func exporterNames(s *fleet.Service) string {
	var names []string
	for _, e := range s.Exporters {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}

// firstUnreachable finds a cluster that cannot be observed now and could tell
// what the service is: an exporter, or any cluster where a ServiceExport could
// be.
func firstUnreachable(s *fleet.Service) *fleet.Cluster {
	candidates := s.Exporters
	if s.Adopted {
		candidates = s.Set.Clusters
	}
	for _, c := range candidates {
		if c.Facts.State == fleet.Unreachable {
			return c
		}
	}
	return nil
}

// export plans what lets others reach the service in a cluster.
func (b *builder) export(out *Service, s *fleet.Service, c *fleet.Cluster) {
	svc, there := c.Facts.Service(s.Namespace, s.Name)
	switch {
	case c.Facts.State == fleet.Observed && !there:
		b.pending(c, out.Fragment, "Service %s does not exist in %s yet", s.Key(), c.Name)
	case svc.ExternalName:
		b.pending(c, out.Fragment, "Service %s in %s is an ExternalName, which cannot be exported", s.Key(), c.Name)
		return
	}
	if c.Tunnels() && len(c.Gateways) == 0 {
		b.pending(c, out.Fragment, "cluster %s has no gateway: other clusters cannot reach Service %s there", c.Name, s.Key())
	}
	out.Export = &Export{Declare: !s.Adopted, Address: s.Exports[c.Name], Selector: svc.Selector,
		Access: b.access(s, c), MutualTLS: s.Producer.TLS == v1alpha1.TLSMutual,
		ClearText: s.Producer.TLS == v1alpha1.TLSDisable}
	out.Export.ClusterNames = slices.ContainsFunc(s.Policies, func(p *fleet.Policy) bool { return p.Names.Cluster })
	if c.EastWest == v1alpha1.EastWestCilium && out.Export.Access != nil {
		out.Export.Enforced = b.enforceable(out, s, c)
		out.Export.Declare = out.Export.Declare && out.Export.Enforced
	}
	if c.EastWest != v1alpha1.EastWestIstio {
		return
	}
	out.Export.Gateway = meshGateway(c)
	for _, p := range s.Policies {
		for _, other := range p.Consumers {
			if other.EastWest == v1alpha1.EastWestIstio {
				caller := Caller{Cluster: other.Name}
				for _, r := range p.Rules {
					caller.Rules = append(caller.Rules, plainRule(s, r, other))
				}
				out.Export.Callers = append(out.Export.Callers, caller)
			}
		}
	}
	out.Export.Callers = append(out.Export.Callers, otherCallers(s, c)...)
	slices.SortStableFunc(out.Export.Callers, func(x, y Caller) int { return strings.Compare(x.Cluster, y.Cluster) })
	b.blind(out, s, c)
	for _, w := range svc.Workloads {
		if !w.Sidecar {
			b.pending(c, out.Fragment, "pods of Service %s in %s that run as %s have no sidecar: other clusters cannot reach them", s.Key(), c.Name, w.ServiceAccount)
		}
	}
}

// otherCallers are those who call a service in a cluster by policies of others.
func otherCallers(s *fleet.Service, c *fleet.Cluster) []Caller {
	var out []Caller
	for _, sender := range s.Senders {
		for _, consumer := range sender.Policy.Consumers {
			if consumer.EastWest != v1alpha1.EastWestIstio {
				continue
			}
			caller := Caller{Cluster: consumer.Name, Other: true, TLS: sender.Policy.TLS}
			for _, r := range sender.Policy.Rules {
				named := slices.Clone(r.Backends)
				if r.Mirror != nil {
					named = append(named, *r.Mirror)
				}
				for _, b := range named {
					if b.Other == s && b.Cluster == c && !b.Lost {
						to := plainBackend(sender.Service, b, consumer)
						to.Identities = identitiesOf(s, c, b.Subset)
						one := Rule{Label: r.Label, Tiers: [][]Backend{{to}}}
						one.SessionAffinity = r.SessionAffinity
						caller.Rules = append(caller.Rules, one)
					}
				}
			}
			if len(caller.Rules) > 0 {
				out = append(out, caller)
			}
		}
	}
	return out
}

// identitiesOf are those of the pods of a service in a cluster that have some
// labels.
func identitiesOf(s *fleet.Service, c *fleet.Cluster, labels map[string]string) []string {
	var out []string
	svc, _ := c.Facts.Service(s.Namespace, s.Name)
	for _, w := range svc.Workloads {
		if subsetOf(labels, w.Labels) {
			out = append(out, fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", c.Mesh.TrustDomain, s.Namespace, w.ServiceAccount))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func meshGateway(c *fleet.Cluster) *MeshGateway {
	g := c.Mesh.Gateway
	if g == nil {
		return nil
	}
	return &MeshGateway{Service: g.Service, Selector: g.Selector, Addresses: g.Addresses, Port: g.Port}
}

// plainRule is a rule as one consumer sees it, from the documents alone.
func plainRule(s *fleet.Service, r fleet.Rule, c *fleet.Cluster) Rule {
	out := Rule{Rule: r.Rule, Label: r.Label}
	if r.Mirror != nil {
		copied := plainBackend(s, *r.Mirror, c)
		out.Copy = &copied
	}
	for _, tier := range s.Tiers(r, c) {
		var backends []Backend
		for _, b := range tier {
			if b.Weight > 0 {
				backends = append(backends, plainBackend(s, b, c))
			}
		}
		if len(backends) > 0 {
			out.Tiers = append(out.Tiers, backends)
		}
	}
	return out
}

// plainBackend is a backend as one consumer sees it.
func plainBackend(s *fleet.Service, b fleet.Backend, c *fleet.Cluster) Backend {
	if b.Lost {
		return Backend{Cluster: b.Cluster.Name, Namespace: b.Namespace, Service: b.Service, Port: b.Port, Labels: b.Subset, Weight: b.Weight,
			Absent: true, Lost: true, path: b.Path}
	}
	home := c.Mesh.ControlPlane
	member := home != nil && home == b.Cluster.Mesh.ControlPlane
	out := Backend{Cluster: b.Cluster.Name, Local: b.Cluster == c, Member: member, Near: b.Cluster == c || member && b.Cluster.Mesh.Network == c.Mesh.Network,
		Namespace: b.Namespace, Service: b.Service, Port: b.Port, Labels: b.Subset, Weight: b.Weight,
		Address: s.Exports[b.Cluster.Name], Part: s.Parts[b.Cluster.Name], Gateway: meshGateway(b.Cluster), path: b.Path}
	of := s
	if b.Other != nil {
		of = b.Other
		out.Address, out.Part = b.Other.Exports[b.Cluster.Name], netip.Addr{}
		for _, p := range b.Other.Ports {
			out.Ports = append(out.Ports, Port{Name: p.Name, Number: p.Number, Protocol: p.Protocol, Transport: p.Transport(), AppProtocol: p.AppProtocol})
		}
	}
	if of.Producer.TLS == v1alpha1.TLSDisable {
		out.Gateway = nil // it passes on nothing but the TLS of its mesh
	}
	out.apart = !member && oneOfSeveral(c)
	out.crowded = out.Gateway != nil && slices.ContainsFunc(fellows(b.Cluster), func(o *fleet.Cluster) bool { return o.Mesh.Network == b.Cluster.Mesh.Network })
	if out.Gateway != nil && !member && oneOfSeveral(b.Cluster) {
		out.plane = b.Cluster.Mesh.ControlPlane.Name
	}
	return out
}
