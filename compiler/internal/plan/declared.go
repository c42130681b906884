// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// A mesh takes a port of a Service's own name for what that Service declares,
// whatever a policy says (Istio's protocol selection): routes of requests and
// routes of connections apply to ports of their kind alone.

// Declaration is what a mesh takes the connections to a port for.
type Declaration = fleet.Declaration

// The declarations, as in package fleet.
const (
	Undeclared   = fleet.Undeclared
	DeclaredHTTP = fleet.DeclaredHTTP
	DeclaredTLS  = fleet.DeclaredTLS
	DeclaredTCP  = fleet.DeclaredTCP
)

// Declares tells what a mesh takes the port for, by its name and AppProtocol.
func (p Port) Declares() Declaration { return p.service().Declares() }

// Word is what the Service says that the port speaks, in Istio's words; empty
// where it says nothing that is known.
func (p Port) Word() string { return p.service().Word() }

// service is the port as its Service has it.
func (p Port) service() fleet.Port {
	return fleet.Port{Name: p.Name, Number: p.Number, AppProtocol: p.AppProtocol}
}

// clashes tells whether nothing that the policy says of the port applies where a
// mesh takes it for something else.
func (p Port) clashes(d Declaration) bool {
	switch p.Protocol {
	case v1alpha1.ProtocolHTTP, v1alpha1.ProtocolGRPC:
		return d != DeclaredHTTP && d != Undeclared
	case v1alpha1.ProtocolTLS:
		// Where a port is declared as connections, those with TLS are among them.
		return d == DeclaredHTTP || d == fleet.DeclaredUDP
	}
	return d != DeclaredTCP && d != Undeclared
}

// registered returns the clusters whose Service the sidecars of a consumer go
// by: its own. An istiod of several clusters goes by that of its own cluster,
// and of those of the others by the first that it reads.
func registered(s *fleet.Service, c *fleet.Cluster) []*fleet.Cluster {
	has := func(c *fleet.Cluster) bool {
		_, there := c.Facts.Service(s.Namespace, s.Name)
		return there
	}
	home := c.Mesh.ControlPlane
	switch {
	case !oneOfSeveral(c):
		home = c
	case !has(home) && !stubbed(s, home):
		return slices.DeleteFunc(append(fellows(home), home), func(c *fleet.Cluster) bool { return !has(c) })
	}
	if !has(home) {
		return nil
	}
	return []*fleet.Cluster{home}
}

// stubbed tells whether a cluster gets a Service of ours.
func stubbed(s *fleet.Service, c *fleet.Cluster) bool {
	return c.Facts.State == fleet.Observed && slices.ContainsFunc(s.Policies, func(p *fleet.Policy) bool {
		return p.Mesh && p.Names.Cluster && slices.Contains(p.Consumers, c)
	})
}

// declared compares the protocol of each port with what its Service makes the
// sidecars of the consumer take it for.
func (b *builder) declared(out *Service, at consumer) {
	s, c, in := at.service, at.cluster, out.Import
	if !in.Names.Cluster {
		return
	}
	from := registered(s, c)
	for i, p := range in.Ports {
		// Whether a cluster that was never observed has a Service is not known.
		in.Ports[i].Sniffed = len(from) == 0 && c.Facts.State == fleet.Unknown && p.Declares() == Undeclared
	}
	for _, r := range from {
		local := s.PortsOf(r)
		for i, p := range in.Ports {
			j := slices.IndexFunc(local, func(q fleet.Port) bool { return q.Number == p.Number && q.Transport() == p.Transport })
			if j < 0 {
				b.unlisted(out, at, r, p)
				continue
			}
			in.Ports[i].Sniffed = in.Ports[i].Sniffed || local[j].Declares() == Undeclared
			if p.clashes(local[j].Declares()) && !(local[j].Declares() == DeclaredTLS && staysHome(at, in.Rules, p)) {
				b.pending(c, out.Fragment, "%s, and Service %s in %s declares it as %s by %s: no rule of the policy applies to it under %s.%s.svc.cluster.local; %s there",
					saidOf(s, p), s.Key(), r.Name, local[j].Declares(), local[j].Says(), s.Name, s.Namespace, remedy(s, p, local[j]))
			}
		}
	}
}

// unlisted says that the consumer's own Service lacks a port. Of exporters that is
// said of every port that a policy lists.
func (b *builder) unlisted(out *Service, at consumer, in *fleet.Cluster, p Port) {
	s := at.service
	if svc, _ := in.Facts.Service(s.Namespace, s.Name); svc.ExternalName || s.PortsGiven() && s.ExportedBy(in) {
		return
	}
	b.pending(at.cluster, out.Fragment, "%s, and Service %s in %s does not have it: callers do not get to it under %s.%s.svc.cluster.local",
		saidOf(s, p), s.Key(), in.Name, s.Name, s.Namespace)
}

// Sniffed tells whether the sidecars of a consumer look into each connection to
// a port of the Service's own name, because the Service declares it as nothing.
func Sniffed(s *fleet.Service, c *fleet.Cluster, port fleet.Port) bool {
	return slices.ContainsFunc(registered(s, c), func(r *fleet.Cluster) bool {
		return slices.ContainsFunc(s.PortsOf(r), func(p fleet.Port) bool { return p.Same(port) && p.Declares() == Undeclared })
	})
}

// staysHome tells whether connections to a port are for the consumer's own
// Service whole: there they go without a route too.
func staysHome(at consumer, rules []Rule, p Port) bool {
	last := rules[len(rules)-1]
	chains := last.Chains()
	shared := oneOfSeveral(at.cluster) && !clusterLocal(at.service)
	if p.L7() || shared || last.SessionAffinity != nil || len(chains) != 1 {
		return false
	}
	head := chains[0].Head
	return head.Local && head.Own() && head.Port == 0 && len(head.Labels)+len(chains[0].Tiers) == 0
}

// clusterLocal tells whether an istiod of several clusters gives the callers of
// each the pods of their own alone, unless it is configured otherwise.
func clusterLocal(s *fleet.Service) bool {
	return s.Namespace == "kube-system" || s.Key() == "default/kubernetes"
}

// saidOf writes what a policy says of a port, and where.
func saidOf(s *fleet.Service, p Port) string {
	for _, given := range s.Ports {
		if s.PortsGiven() && given.Number == p.Number && given.Transport() == p.Transport {
			return fmt.Sprintf("port %d (%s) is %s", p.Number, s.PortsFrom.At(given.Path+".protocol"), p.Protocol)
		}
	}
	return fmt.Sprintf("port %d is %s in the exporters of the service (%s)", p.Number, p.Protocol, exporterNames(s))
}

// remedy is what to write so that policy and Service agree.
func remedy(s *fleet.Service, p Port, local fleet.Port) string {
	out := fmt.Sprintf("set appProtocol: %s", p.Protocol)
	if !s.PortsGiven() || local.Declares() == fleet.DeclaredUDP {
		return out
	}
	return fmt.Sprintf("write protocol: %s, or %s", local.Protocol, out)
}

// blind says which ports of an exporter have an access block that asks for
// methods or paths, while the Service makes the sidecars of its pods see none.
func (b *builder) blind(out *Service, s *fleet.Service, c *fleet.Cluster) {
	if out.Export.Access == nil || s.Access.By == nil {
		return
	}
	local := s.PortsOf(c)
	for _, p := range out.Ports {
		i := slices.IndexFunc(local, func(q fleet.Port) bool { return q.Number == p.Number && q.Transport() == p.Transport })
		if i < 0 || !p.L7() || !p.clashes(local[i].Declares()) {
			continue
		}
		for j, a := range out.Export.Access.Allow {
			asks := len(a.Methods)+len(a.Paths) > 0
			if asks && (len(a.Ports) == 0 || slices.Contains(a.Ports, v1alpha1.PortNumber(p.Number))) {
				b.pending(c, out.Fragment, "access (%s): Service %s in %s declares port %d as %s by %s: its sidecars see no methods and paths there, and refuse whom they let in for some of them alone; set appProtocol: %s there",
					s.Access.By.At(s.Access.Allow[j].Path), s.Key(), c.Name, p.Number, local[i].Declares(), local[i].Says(), p.Protocol)
			}
		}
	}
}
