// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
)

// parts plans the Services that stand for parts at gateways: in the cluster of
// the pods, and where a route refers to them as imports.
func (g *gatewayPlanner) parts() {
	for _, part := range g.fleet.Parts {
		ports := portsIn(part.Service, part.Cluster)
		plain := Part{Namespace: part.Service.Namespace, Service: part.Service.Name, Name: part.Name, Labels: part.Labels, Ports: ports,
			Address: part.Export, Virtual: part.Virtual}
		done := map[*fleet.Cluster]bool{}
		for _, u := range part.Users {
			out := plain
			out.Fragment = Fragment(u.Policy)
			if !done[part.Cluster] && g.export(part, &out) {
				done[part.Cluster] = true
				g.addPart(part.Cluster, out)
			}
			if u.Cluster != part.Cluster && !done[u.Cluster] && g.imported[importedAt{u.Cluster, part.Service.Namespace, part.Name}] && part.Virtual.IsValid() {
				done[u.Cluster] = true
				out := plain
				out.Fragment = Fragment(u.Policy)
				g.addPart(u.Cluster, out)
			}
		}
	}
	for _, p := range g.plans {
		slices.SortFunc(p.Parts, func(a, b Part) int {
			return cmp.Or(cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
		})
	}
}

func (g *gatewayPlanner) addPart(c *fleet.Cluster, p Part) {
	g.plans[c].Parts = append(g.plans[c].Parts, p)
}

// export fills in what makes the pods of a part a Service of their own, false
// where it is not known.
func (g *gatewayPlanner) export(part *fleet.Part, out *Part) bool {
	c, s := part.Cluster, part.Service
	svc, there := c.Facts.Service(s.Namespace, s.Name)
	unknown := func(p Port) bool { return p.Target == 0 }
	why := ""
	switch {
	case c.Facts.State == fleet.Unreachable:
		g.hold(c, out.Fragment, c, "the pods of Service "+s.Key())
		return false
	case !there:
		why = "does not exist yet"
	case svc.ExternalName:
		why = "is an ExternalName, which has no pods"
	case len(svc.Selector) == 0:
		why = "has no selector, so that its pods cannot be chosen"
	case len(out.Ports) == 0 || slices.ContainsFunc(out.Ports, unknown):
		why = "does not show which ports its pods have"
	case part.Remote() && !out.Address.IsValid():
		why = "has no address for gateways of other clusters: its cluster has no tunnels"
	}
	if why != "" {
		g.pending(c, out.Fragment, "Service %s for gateways: Service %s in %s %s", out.Name, s.Key(), c.Name, why)
		return false
	}
	out.Exported, out.Offered, out.Selector = true, part.Remote(), svc.Selector
	return true
}

// portsIn are the governed ports as the Service in a cluster has them.
func portsIn(s *fleet.Service, c *fleet.Cluster) []Port {
	var out []Port
	local := s.PortsOf(c)
	for _, p := range s.Ports {
		port := Port{Name: p.Name, Number: p.Number, Protocol: p.Protocol, Transport: p.Transport(), AppProtocol: p.AppProtocol}
		if i := slices.IndexFunc(local, p.Same); i >= 0 {
			port.Name, port.AppProtocol, port.Target = local[i].Name, local[i].AppProtocol, local[i].Target
		}
		out = append(out, port)
	}
	return out
}
