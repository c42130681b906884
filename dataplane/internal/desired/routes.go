// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"net/netip"
	"slices"
)

// Loopback is the device of the route to the clusterset IPs. Packets of local
// programs are translated before they would leave by it; the route is there so
// that a node without a default route can begin to send at all.
const Loopback = "lo"

// makeRoutes makes the way to the other clusters, with a floor under each
// prefix, and the way of local programs to the clusterset IPs.
func (m *maker) makeRoutes() {
	way, known := m.way()
	for _, p := range outermost(slices.Concat(m.remote, m.floor)...) {
		m.out.Routes = append(m.out.Routes, Route{Prefix: p, Unreachable: true})
	}
	if known {
		for _, p := range m.remote {
			r := way
			r.Prefix = p
			m.out.Routes = append(m.out.Routes, r)
		}
	}
	if m.own.clusterSet.IsValid() && m.in.Address.IsValid() {
		m.out.Routes = append(m.out.Routes, Route{Prefix: m.own.clusterSet, Device: Loopback, Source: m.in.Address})
	}
}

// way is the route to other clusters without its prefix: the tunnel at a
// gateway, elsewhere the first gateway whose address is known.
func (m *maker) way() (r Route, known bool) {
	if t := m.out.Tunnel; t != nil {
		return Route{Device: t.Name, Source: t.Address}, true
	}
	if _, gateway := Gateway(m.in.Dataplane, m.in.Node); gateway {
		return Route{}, false
	}
	for _, g := range m.in.Dataplane.Spec.Gateways {
		for _, a := range g.NodeAddresses {
			via, err := parseAddr(a)
			if err == nil {
				return Route{Via: via}, true
			}
			m.problem("gateway %s: nodeAddresses: %v", g.Name, err)
		}
	}
	return Route{}, false
}

// makeFilter makes the address sets.
func (m *maker) makeFilter() {
	f := &m.out.Filter
	if t := m.out.Tunnel; t != nil {
		f.Tunnels = []TunnelAddress{{Device: t.Name, Address: t.Address}}
	}
	f.Remote = m.remote
	f.Identity = outermost(slices.Concat(m.own.pods, m.remote)...)
	admitted := slices.Clone(m.own.pods)
	if m.own.global.IsValid() {
		admitted = append(admitted, m.own.global)
		f.Exported = []netip.Prefix{m.own.global}
	}
	f.Admitted = outermost(admitted...)
	if m.own.clusterSet.IsValid() {
		f.Refused = []netip.Prefix{m.own.clusterSet}
	}
}
