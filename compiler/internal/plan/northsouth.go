// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// northSouth plans what the gateways of a cluster must serve for each policy.
func (b *builder) northSouth(f *fleet.Fleet) {
	g := gatewayPlanner{builder: b, fleet: f, served: map[servedAt][]served{}, imported: map[importedAt]bool{}}
	for _, s := range f.Services {
		for _, p := range s.Policies {
			if len(p.Gateways) > 0 {
				g.policy(s, p)
			}
		}
	}
	g.shared()
	g.parts()
}

// gatewayPlanner plans routes at gateways, and remembers what each serves.
type gatewayPlanner struct {
	*builder
	fleet *fleet.Fleet
	// served are the routes of requests, by gateway and hostname.
	served map[servedAt][]served
	order  []servedAt
	// imported are the parts that routes in a cluster refer to as imports.
	imported map[importedAt]bool
}

// importedAt is a part, by name, in a cluster that imports it.
type importedAt struct {
	at              *fleet.Cluster
	namespace, name string
}

// at is a policy in a cluster whose gateways it has frontends at.
type atGateway struct {
	consumer
	frontend fleet.Frontend
}

func (g *gatewayPlanner) policy(s *fleet.Service, p *fleet.Policy) {
	served := false
	for _, c := range p.Consumers {
		for _, frontend := range p.Gateways {
			at := atGateway{consumer{s, p, c}, frontend}
			switch c.NorthSouth {
			case v1alpha1.NorthSouthEnvoyGateway:
				g.serve(at)
				g.envoy(at)
			case v1alpha1.NorthSouthIstio:
				g.istio(at)
			default:
				continue
			}
			served = true
		}
	}
	if !served && len(p.Consumers) > 0 {
		g.diags = append(g.diags, diag.Diagnostic{Code: CodeNoNorthSouth, Severity: diag.Error, Position: p.At(p.Gateways[0].Path + ".gateway"),
			Message: fmt.Sprintf("no cluster that imports service %s has a provider for requests from outside", s.Key()),
			Fix:     "set providers.northSouth of one of them, or change imports.to"})
	}
}

// route is what all providers' routes have in common, and the service as the
// cluster of the gateway sees it.
func (g *gatewayPlanner) route(at atGateway) (Route, bool) {
	s, p, c := at.service, at.policy, at.cluster
	view := Service{Fragment: Fragment(p)}
	known := g.ports(&view, s, c)
	return Route{Fragment: view.Fragment, Cluster: c.Name, Namespace: s.Namespace, Name: s.Name, Policy: p.Name, Provider: c.NorthSouth, Ports: view.Ports,
		Gateway:   GatewayRef{Namespace: at.frontend.Namespace, Name: at.frontend.Name, Listener: at.frontend.Listener},
		Hostnames: at.frontend.Hostnames}, known
}

// istio plans a route at a gateway of a mesh: what comes in there is routed as
// what comes from a pod.
func (g *gatewayPlanner) istio(at atGateway) {
	s, p, c := at.service, at.policy, at.cluster
	if c.EastWest != v1alpha1.EastWestIstio || c.Mesh.ControlPlane == nil {
		g.diags = append(g.diags, diag.Diagnostic{Code: CodeNoNorthSouth, Severity: diag.Error, Position: p.At(at.frontend.Path + ".gateway"),
			Message: fmt.Sprintf("the gateways of cluster %q are Istio's, and its east-west provider is %s", c.Name, c.EastWest),
			Fix:     "use eastWest: istio or northSouth: envoy-gateway there", Related: []diag.Related{{Position: c.At(".providers"), Message: "its providers"}}})
		return
	}
	if at.frontend.Listener != "" {
		g.diags = append(g.diags, refusals(p, v1alpha1.ProviderIstio, []need{{feature: GatewayListener, path: at.frontend.Path + ".gateway.listener"}})...)
	}
	out, known := g.route(at)
	plans := g.plans[c.Mesh.ControlPlane]
	if i := slices.IndexFunc(plans.Mesh.Services, func(x Service) bool {
		return x.Fragment == out.Fragment && x.Cluster == c.Name && x.Import != nil
	}); i >= 0 {
		out.Import = plans.Mesh.Services[i].Import
	} else {
		view := Service{Fragment: out.Fragment, Cluster: c.Name, Namespace: s.Namespace, Name: s.Name, Policy: p.Name, EastWest: c.EastWest, Ports: out.Ports}
		g.consume(&view, at.consumer, known)
		out.Import, out.Ports = view.Import, view.Import.Ports
	}
	plans.Mesh.Routes = append(plans.Mesh.Routes, out)
}

// envoy plans a route at a Gateway of Envoy Gateway.
func (g *gatewayPlanner) envoy(at atGateway) {
	s, p, c := at.service, at.policy, at.cluster
	out, known := g.route(at)
	in := &Import{MinHealthy: p.MinHealthy, FailbackDelay: p.FailbackDelay, Resilience: p.Resilience, LoadBalancing: p.LoadBalancing,
		HealthCheck: s.HealthCheck, TLS: p.TLS, Routed: known}
	out.Import = in
	for _, r := range p.Rules {
		in.Rules = append(in.Rules, g.rule(at, r))
	}
	wanted := needs(s, p, in.Rules)
	for _, r := range in.Rules {
		if len(r.Tiers) > 2 {
			wanted = append(wanted, need{feature: ManyTiers, path: r.Tiers[2][0].path})
		}
	}
	out.Ports = g.onePort(at, out)
	wanted, in.Routed = g.datagrams(at, out, wanted)
	refused := slices.Concat(refusals(p, v1alpha1.ProviderEnvoyGateway, wanted), portRefusals(s, v1alpha1.ProviderEnvoyGateway), g.checkPlaces(at, in.Rules))
	in.Routed = in.Routed && len(out.Ports) == 1
	out.Access = g.gatewayAccess(at, &refused)
	if g.requests(s, out) {
		refused = append(refused, g.checkRequests(at, out)...)
		refused = append(refused, g.specific(at, in)...)
	} else if n := len(in.Rules); n > 0 {
		in.Rules = in.Rules[n-1:]
	}
	in.Routed = g.settle(s, p, c, refused) && in.Routed
	g.leaving(at, out)
	g.versions(at, out)
	if len(s.Exporters) > 0 && !slices.ContainsFunc(in.Rules, func(r Rule) bool { return r.count() > 0 || r.Answers() }) {
		in.Routed = false
		g.pending(c, out.Fragment, "%s reaches none of the clusters that export Service %s (%s)", c.Name, s.Key(), exporterNames(s))
	}
	if in.Routed {
		g.note(at, in.Rules)
		// Every frontend of a policy has the same shares.
		if !slices.ContainsFunc(g.plans[c].Traffic, func(t Share) bool { return t.Fragment == out.Fragment }) {
			g.traffic(at.consumer, in.Rules)
		}
	}
	g.plans[c].Routes = append(g.plans[c].Routes, out)
}

// leaving notes what differs while a cluster is on its way out: what it had goes
// to the others of its tier, which Envoy Gateway judges without it.
func (g *gatewayPlanner) leaving(at atGateway, r Route) {
	for _, rule := range r.Import.Rules {
		if len(rule.Tiers) < 2 {
			continue
		}
		lost := func(b Backend) bool { return b.Lost }
		if i := slices.IndexFunc(rule.Tiers[0], lost); i >= 0 {
			g.pending(at.cluster, r.Fragment, "%s takes no more requests: at gateway %s/%s its part of rule %q goes to the others of its priority, not to the next one",
				rule.Tiers[0][i].Cluster, r.Gateway.Namespace, r.Gateway.Name, rule.Label)
		}
	}
}

// requests tells whether the route is of single requests. What is not known yet
// may be.
func (g *gatewayPlanner) requests(s *fleet.Service, r Route) bool {
	return len(s.Ports) == 0 || slices.ContainsFunc(r.Ports, Port.L7)
}

// rule is a rule as a gateway sees it: its backends are Services and imports.
func (g *gatewayPlanner) rule(at atGateway, r fleet.Rule) Rule {
	s, c := at.service, at.cluster
	out := Rule{Rule: r.Rule, Label: r.Label}
	if r.Mirror != nil {
		copied := g.backend(at, *r.Mirror)
		out.Copy = &copied
	}
	if r.Answers() {
		return out
	}
	for _, tier := range s.Tiers(r, c) {
		var backends []Backend
		for _, b := range tier {
			if b.Weight > 0 {
				backends = append(backends, g.backend(at, b))
			}
		}
		if len(backends) > 0 {
			out.Tiers = append(out.Tiers, backends)
		}
	}
	return out
}

func (g *gatewayPlanner) backend(at atGateway, b fleet.Backend) Backend {
	out := plainBackend(at.service, b, at.cluster)
	if out.Lost {
		return out
	}
	out.Object, out.Address = cmp.Or(b.Service, at.service.Name), at.service.Exports[b.Cluster.Name]
	if part := g.fleet.Part(at.service, b, at.cluster); part != nil {
		out.Object, out.Address = part.Name, part.Export
	}
	of := at.service
	if b.Other != nil {
		of = b.Other
	}
	out.Ports = portsIn(of, b.Cluster)
	if !out.Local && !out.Address.IsValid() {
		out.Absent = true
	}
	return out
}

// note remembers which imports the rules of a route refer to: those of the
// first tier and of mirrors. Fallbacks are addresses.
func (g *gatewayPlanner) note(at atGateway, rules []Rule) {
	for _, r := range rules {
		var refs []Backend
		if len(r.Tiers) > 0 {
			refs = append(refs, r.Tiers[0]...)
		}
		if r.Copy != nil {
			refs = append(refs, *r.Copy)
		}
		for _, b := range refs {
			if !b.Local && !b.Absent {
				g.imported[importedAt{at.cluster, cmp.Or(b.Namespace, at.service.Namespace), b.Object}] = true
			}
		}
	}
}

// onePort finds the port that requests from outside are for.
func (g *gatewayPlanner) onePort(at atGateway, r Route) []Port {
	s, p := at.service, at.policy
	if len(r.Ports) < 2 {
		return r.Ports
	}
	for _, rule := range p.Rules {
		for _, b := range rule.Backends {
			i := slices.IndexFunc(r.Ports, func(q Port) bool { return q.Number == b.Port })
			if i >= 0 {
				return r.Ports[i : i+1]
			}
		}
	}
	if s.PortsGiven() {
		g.diags = append(g.diags, diag.Diagnostic{Code: CodeGatewayPort, Severity: diag.Error, Position: s.PortsFrom.At("spec.service.ports"),
			Message: fmt.Sprintf("service %s has several ports, and requests at a gateway name none", s.Key()),
			Fix:     "give a backend the port, or govern one port", Related: []diag.Related{{Position: p.At(at.frontend.Path), Message: "the gateway"}}})
		return nil
	}
	g.pending(at.cluster, r.Fragment, "Service %s has several ports, and requests at a gateway name none: list the one that is meant in spec.service.ports", s.Key())
	return nil
}

// compareRoutes orders routes by fragment and cluster; those of one policy stay
// as its frontends are written.
func compareRoutes(a, b Route) int {
	return cmp.Or(cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Cluster, b.Cluster))
}
