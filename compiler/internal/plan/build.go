// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Build returns the plan of every cluster, sorted by store, and what the
// providers cannot do.
func Build(f *fleet.Fleet) ([]Plan, []diag.Diagnostic) { return build(f, f.Services) }

// build plans some of the services and everything that is of no single one.
func build(f *fleet.Fleet, services []*fleet.Service) ([]Plan, []diag.Diagnostic) {
	b := newBuilder(f.Sets)
	for _, s := range f.Sets {
		for _, c := range s.Clusters {
			if c.Removed() {
				continue // everything of ours there is taken away
			}
			b.tunnel(c)
			b.openGateways(c)
		}
		for _, c := range s.Clusters {
			b.network(c)
		}
	}
	for _, s := range services {
		b.service(s)
	}
	b.northSouth(f)
	for _, m := range f.Missing {
		id := manifest.FragmentID("ClusterSet/" + m.Cluster.Set.Name)
		if m.Policy != nil {
			id = Fragment(m.Policy)
		}
		b.pending(m.Cluster, id, "%s", m.Message)
	}
	out := make([]Plan, len(b.order))
	for i, c := range b.order {
		out[i] = *b.plans[c]
		out[i].finish()
	}
	slices.SortFunc(out, byStore)
	return out, diag.Sort(b.diags)
}

func byStore(x, y Plan) int { return cmp.Compare(x.Store, y.Store) }

// newBuilder returns a builder with an empty plan for every cluster; what the
// proxies of several clusters read in one store knows its members.
func newBuilder(sets []*fleet.Set) *builder {
	b := &builder{plans: map[*fleet.Cluster]*Plan{}}
	for _, s := range sets {
		for _, c := range s.Clusters {
			b.plans[c] = &Plan{Store: c.Name, ClusterSet: s.Name, API: c.API, Domain: s.Domain}
			b.order = append(b.order, c)
		}
		for _, c := range s.Clusters {
			b.join(c)
		}
	}
	return b
}

// finish brings a plan into the order that its documentation promises.
func (p *Plan) finish() {
	slices.SortFunc(p.Services, func(x, y Service) int { return cmp.Compare(x.Fragment, y.Fragment) })
	if p.Mesh != nil {
		slices.SortFunc(p.Mesh.Services, func(x, y Service) int {
			return cmp.Or(cmp.Compare(x.Fragment, y.Fragment), cmp.Compare(x.Cluster, y.Cluster))
		})
		slices.SortStableFunc(p.Mesh.Routes, compareRoutes)
	}
	slices.SortStableFunc(p.Routes, compareRoutes)
	slices.SortStableFunc(p.Pending, compareNotes)
	slices.SortStableFunc(p.Held, compareNotes)
	p.Pending, p.Held = slices.Compact(p.Pending), slices.Compact(p.Held)
}

// join enters a cluster into the mesh of the store that its proxies read.
func (b *builder) join(c *fleet.Cluster) {
	home := c.Mesh.ControlPlane
	if home == nil {
		return
	}
	p := b.plans[home]
	if p.Mesh == nil {
		p.Mesh = &Mesh{Fragment: manifest.FragmentID("ClusterSet/" + c.Set.Name), RootNamespace: home.Mesh.RootNamespace, Strict: home.Mesh.Strict}
	}
	p.Mesh.Members = append(p.Mesh.Members, Member{Cluster: c.Name, Network: c.Mesh.Network, TrustDomain: c.Mesh.TrustDomain, Gateway: meshGateway(c)})
}

// network names the network of a gateway where several clusters have one istiod.
func (b *builder) network(c *fleet.Cluster) {
	home, g := c.Mesh.ControlPlane, c.Mesh.Gateway
	if home == nil || g == nil || len(b.plans[home].Mesh.Members) < 2 {
		return
	}
	b.plans[c].SharedNetwork = &SharedNetwork{Fragment: b.plans[home].Mesh.Fragment, Namespace: c.Mesh.RootNamespace, Service: g.Service,
		Network: c.Mesh.Network, Port: g.Port}
}

func compareNotes(a, b Note) int {
	return cmp.Or(cmp.Compare(a.Fragment, b.Fragment), cmp.Compare(a.Message, b.Message))
}

type builder struct {
	plans map[*fleet.Cluster]*Plan
	// order of the clusters, by set and name.
	order []*fleet.Cluster
	diags []diag.Diagnostic
}

func (b *builder) pending(c *fleet.Cluster, f manifest.FragmentID, format string, args ...any) {
	p := b.plans[c]
	p.Pending = append(p.Pending, Note{f, fmt.Sprintf(format, args...)})
}

// hold leaves a fragment as it was applied last, because a cluster that alone
// could tell cannot be observed.
func (b *builder) hold(c *fleet.Cluster, f manifest.FragmentID, blind *fleet.Cluster, what string) {
	b.held(c, f, fmt.Sprintf("%s could not be observed: %s; it alone knows %s", blind.Name, blind.Facts.Unreachable, what))
}

// held leaves a fragment as it is in every store that has a part of it for a
// cluster: its own, and that of its mesh.
func (b *builder) held(c *fleet.Cluster, f manifest.FragmentID, message string) {
	p := b.plans[c]
	p.Held = append(p.Held, Note{f, message})
	if home := c.Mesh.ControlPlane; home != nil && home != c {
		mesh := b.plans[home]
		mesh.Held = append(mesh.Held, Note{f, message})
	}
}

// tunnel plans the tunnels of one cluster: every gateway of every other one.
func (b *builder) tunnel(c *fleet.Cluster) {
	if !c.Tunnels() || len(c.Gateways) == 0 {
		return
	}
	f := manifest.FragmentID("ClusterSet/" + c.Set.Name)
	t := &Tunnel{Fragment: f, Driver: c.Set.Driver, MTU: c.Set.MTU, Pods: c.Pods, Global: c.Global, Virtual: c.Set.Virtual}
	for _, g := range c.Running() {
		if c.Facts.State == fleet.Unreachable && len(g.NodeAddresses) == 0 {
			b.hold(c, f, c, "the addresses of node "+g.Node)
		}
		t.Gateways = append(t.Gateways, Gateway{Name: g.Name, Node: g.Node, Addresses: g.NodeAddresses, Tunnel: g.Tunnel, Port: g.Port, LastPort: g.LastPort})
	}
	if hidden := c.Hidden(); len(hidden) > 0 {
		t.Translation = translation(c, hidden)
	}
	for _, other := range c.Joined {
		if other == c || !other.Tunnels() {
			continue
		}
		for _, g := range other.Running() {
			told := g.KnownTo(c)
			if missing := lacking(told); len(missing) > 0 {
				b.gatewayLacks(c, other, g, strings.Join(missing, " and "))
				continue
			}
			t.Peers = append(t.Peers, Peer{Cluster: other.Name, Gateway: g.Name, Key: told.Key, Tunnel: g.Tunnel, Prefixes: c.Prefixes(other),
				Endpoints: endpointsAt(told.Addresses, g.Port), Private: endpointsAt(other.Private(g, c), g.Port)})
		}
	}
	b.plans[c].Tunnel = t
}

func endpointsAt(at []netip.Addr, port int32) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range at {
		out = append(out, netip.AddrPortFrom(a, uint16(port)))
	}
	return out
}

// translation plans how the callers of a cluster are seen in those whose pods
// have the same addresses.
func translation(c *fleet.Cluster, hidden []*fleet.Cluster) *Translation {
	out := &Translation{Mode: c.Set.Translate}
	for _, other := range hidden {
		out.Toward = append(out.Toward, other.Name)
	}
	for _, p := range c.Egress {
		out.Egress = append(out.Egress, EgressPool(p))
	}
	for _, p := range c.Mapped {
		out.Prefixes = append(out.Prefixes, PrefixPair(p))
	}
	return out
}

// lacking lists what must be known of a gateway before it can be a peer.
func lacking(g fleet.Told) []string {
	var out []string
	if g.Key == "" {
		out = append(out, "public key")
	}
	if len(g.Addresses) == 0 {
		out = append(out, "address")
	}
	return out
}

// gatewayLacks: a peer is never dropped because its cluster is out of sight;
// one that never announced itself is waited for.
func (b *builder) gatewayLacks(c, other *fleet.Cluster, g *fleet.Gateway, what string) {
	f := manifest.FragmentID("ClusterSet/" + c.Set.Name)
	if other.Facts.State == fleet.Unreachable {
		b.hold(c, f, other, fmt.Sprintf("the %s of gateway %s", what, g.Name))
		return
	}
	b.pending(c, f, "%s of gateway %s of cluster %s: node %s has announced none that can be used yet", what, g.Name, other.Name, g.Node)
}

// openGateways warns of a Gateway of the user's that lets every service in.
func (b *builder) openGateways(c *fleet.Cluster) {
	if c.EastWest != v1alpha1.EastWestIstio {
		return
	}
	for _, o := range c.Facts.Foreign {
		open := func(host string) bool { return host == "*.local" || strings.HasSuffix(host, "/*.local") }
		if o.Kind != "Gateway" || !strings.HasPrefix(o.APIVersion, "networking.istio.io/") || !slices.ContainsFunc(o.Hosts, open) {
			continue
		}
		b.diags = append(b.diags, diag.Diagnostic{Code: CodeOpenGateway, Severity: diag.Warning, Position: c.At(".istio.eastWestGateway"),
			Message: fmt.Sprintf("Gateway %s/%s in cluster %q has host *.local: it lets other clusters reach every service, and through this cluster the next", o.Namespace, o.Name, c.Name),
			Fix:     "list the exported services instead, or remove it: Fairlead writes a Gateway for each of them"})
	}
}

// acceptances reports degradations that do not exist.
func (b *builder) acceptances(p *fleet.Policy) {
	for i, a := range p.Accepted {
		if known(a.Name) {
			continue
		}
		var names []string
		for _, d := range Degradations() {
			names = append(names, d.Name)
		}
		b.diags = append(b.diags, diag.Diagnostic{Code: CodeUnknownDegradation, Severity: diag.Error,
			Position: p.At(fmt.Sprintf("spec.acceptDegradations[%d].name", i)),
			Message:  fmt.Sprintf("unknown degradation %q", a.Name), Fix: "there are " + strings.Join(names, ", ")})
	}
}
