// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// makeServices makes the choices of all routes, in the order of their names.
func (m *maker) makeServices() {
	routes := slices.Clone(m.in.Routes)
	slices.SortFunc(routes, func(a, b v1alpha1.ServiceRoute) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	byName := byService(m.in.Slices)
	owners := map[Service]string{}
	hairpin := map[netip.Addr]bool{}
	for i := range routes {
		r := &router{
			maker: m, route: &routes[i], owners: owners, hairpin: hairpin,
			local: byName[serviceName{routes[i].Namespace, routes[i].Spec.Service}],
		}
		r.make()
	}
	for a := range hairpin {
		m.out.Filter.Hairpin = append(m.out.Filter.Hairpin, a)
	}
	slices.SortFunc(m.out.Filter.Hairpin, netip.Addr.Compare)
	slices.SortFunc(m.out.Services, compareChoice)
	slices.SortFunc(m.out.Exports, compareChoice)
}

// compareChoice orders choices by service and slot.
func compareChoice(a, b Choice) int {
	return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Transport, b.Transport),
		cmp.Compare(a.Port, b.Port), cmp.Compare(a.First, b.First))
}

// router makes the choices of one ServiceRoute.
type router struct {
	*maker
	route *v1alpha1.ServiceRoute
	// local are the slices of the route's Service.
	local []*discoveryv1.EndpointSlice
	// owners are the routes that have a service already.
	owners  map[Service]string
	hairpin map[netip.Addr]bool
}

func (r *router) name() string { return r.route.Namespace + "/" + r.route.Name }

// make adds the choices of the route. A part that cannot be used is a problem;
// the others are still made.
func (r *router) make() {
	spec := &r.route.Spec
	for _, port := range spec.Ports {
		if !validPort(port.Port) || (port.Transport != v1alpha1.TransportTCP && port.Transport != v1alpha1.TransportUDP) {
			r.problem("route %s: port %d/%s is neither TCP nor UDP", r.name(), port.Port, port.Transport)
			continue
		}
		local := endpointsOf(r.local, port)
		if spec.Import != nil {
			r.makeImport(port, local)
		}
		if spec.Export != nil && r.out.Tunnel != nil {
			r.makeExport(port, local)
		}
	}
}

// target is an endpoint or an export address, and its part of the connections.
type target struct {
	at   netip.AddrPort
	part float64
}

// makeImport makes the choices of the clusterset IPs for one port.
func (r *router) makeImport(port v1alpha1.RoutePort, local endpoints) {
	targets := r.targets(port, local)
	for _, a := range r.route.Spec.Import.Addresses {
		s, ok := r.claim(a, port, r.own.clusterSet)
		if ok {
			r.out.Services = append(r.out.Services, choices(s, targets)...)
		}
	}
	for _, e := range local.ready {
		r.hairpin[e.Addr()] = true
	}
}

// targets computes where new connections to the service go. None means that
// they are refused.
func (r *router) targets(port v1alpha1.RoutePort, local endpoints) []target {
	imp := r.route.Spec.Import
	minHealthy := float64(imp.MinHealthy) / 100
	if imp.MinHealthy < 1 || imp.MinHealthy > 100 {
		r.problem("route %s: minHealthy %d is not a percentage from 1 to 100", r.name(), imp.MinHealthy)
		minHealthy = v1alpha1.DefaultMinHealthy / 100.0
	}
	delay, err := imp.FailbackDelay.Parse()
	if err != nil {
		r.problem("route %s: failbackDelay: %v", r.name(), err)
	}
	ways := make([][][]netip.AddrPort, len(imp.Tiers))
	tiers := make([][]backend, len(imp.Tiers))
	for t, tier := range imp.Tiers {
		for _, b := range tier.Backends {
			at, health, err := r.backend(b, port, local)
			if err != nil {
				r.problem("route %s: backend %s: %v", r.name(), b.Cluster, err)
			}
			health = r.in.Lowest.of(backendKey{r.name(), port.Port, b.Cluster}, health, delay)
			ways[t] = append(ways[t], at)
			tiers[t] = append(tiers[t], backend{weight: int(b.Weight), health: health})
		}
	}
	parts := map[netip.AddrPort]float64{}
	for t, tier := range shares(tiers, minHealthy) {
		for i, share := range tier {
			for _, at := range ways[t][i] {
				parts[at] += share / float64(len(ways[t][i]))
			}
		}
	}
	return sortedTargets(parts)
}

// backend finds where a backend's connections go, and its health. A backend
// that no tunnel leads to serves nobody: its packets would leave in clear text.
func (r *router) backend(b v1alpha1.RouteBackend, port v1alpha1.RoutePort, local endpoints) (at []netip.AddrPort, health float64, err error) {
	if b.Weight < 0 {
		return nil, 0, fmt.Errorf("weight %d is negative", b.Weight)
	}
	if b.Cluster == r.in.Dataplane.Spec.Cluster {
		return local.ready, local.health(), nil
	}
	addr, err := parseAddr(b.Address)
	if err != nil {
		return nil, 0, fmt.Errorf("address: %w", err)
	}
	if !within(r.remote, addr) {
		return nil, 0, nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(addr, uint16(port.Port))}, 1, nil
}

// makeExport makes the choices of the export addresses for one port: equal
// parts for the ready endpoints, in an order that is the same at every gateway.
func (r *router) makeExport(port v1alpha1.RoutePort, local endpoints) {
	parts := map[netip.AddrPort]float64{}
	for _, at := range local.ready {
		parts[at] = 1
	}
	for _, a := range r.route.Spec.Export.Addresses {
		s, ok := r.claim(a, port, r.own.global)
		if ok {
			r.out.Exports = append(r.out.Exports, choices(s, sortedTargets(parts))...)
		}
	}
}

// claim makes sure that an address is in the range it must come from and that
// no other route has it: a route must not be able to take over other traffic.
func (r *router) claim(a v1alpha1.Address, port v1alpha1.RoutePort, from netip.Prefix) (Service, bool) {
	addr, err := parseAddr(a)
	if err == nil && (!from.IsValid() || !from.Contains(addr)) {
		err = fmt.Errorf("%s is not in %s", addr, from)
	}
	s := Service{Address: addr, Transport: port.Transport, Port: uint16(port.Port)}
	if owner, taken := r.owners[s]; err == nil && taken {
		err = fmt.Errorf("%s port %d/%s is route %s's", addr, port.Port, port.Transport, owner)
	}
	if t := r.out.Tunnel; err == nil && t != nil && t.Address == addr {
		err = fmt.Errorf("%s is the gateway's own", addr)
	}
	if err != nil {
		r.problem("route %s: address: %v", r.name(), err)
		return Service{}, false
	}
	r.owners[s] = r.name()
	return s, true
}

// sortedTargets lists targets by address and port.
func sortedTargets(parts map[netip.AddrPort]float64) []target {
	var out []target
	for at, part := range parts {
		out = append(out, target{at, part})
	}
	slices.SortFunc(out, func(a, b target) int { return a.at.Compare(b.at) })
	return out
}

// choices cuts the slots of a service among targets. A target with less than a
// slot gets none.
func choices(s Service, targets []target) []Choice {
	parts := make([]float64, len(targets))
	for i, t := range targets {
		parts[i] = t.part
	}
	var out []Choice
	first := 0
	for i, n := range slots(parts, Slots) {
		if n == 0 {
			continue
		}
		out = append(out, Choice{Service: s, First: first, Last: first + n - 1, Target: targets[i].at})
		first += n
	}
	return out
}
