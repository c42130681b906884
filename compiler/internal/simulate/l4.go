// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math/big"
	"net/netip"
	"slices"

	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// L4 answers requests as the agents of the nodes do: a clusterset IP from the
// ServiceImport, the tiers from the ServiceRoute, a tunnel from the Dataplane,
// and behind an export address what the other cluster's ServiceRoute says.
type L4 struct {
	ground Ground
	nodes  map[string]*agents
}

// agents is what the agents of one cluster see.
type agents struct {
	imports []mcs.ServiceImport
	routes  []v1alpha1.ServiceRoute
	tunnels []v1alpha1.Dataplane
}

// NewL4 reads the objects of every cluster.
func NewL4(g Ground, stores []manifest.Bundle) *L4 {
	out := &L4{ground: g, nodes: map[string]*agents{}}
	for name := range g.Sites {
		out.nodes[name] = &agents{}
	}
	for _, b := range stores {
		for _, o := range b.Objects() {
			if n := out.nodes[b.Store]; n != nil {
				n.add(o.Unstructured().Object)
			}
		}
	}
	return out
}

func (n *agents) add(content map[string]any) {
	switch kind, _ := content["kind"].(string); kind {
	case "ServiceImport":
		var o mcs.ServiceImport
		if decode(content, &o) {
			n.imports = append(n.imports, o)
		}
	case v1alpha1.KindServiceRoute:
		var o v1alpha1.ServiceRoute
		if decode(content, &o) {
			n.routes = append(n.routes, o)
		}
	case v1alpha1.KindDataplane:
		var o v1alpha1.Dataplane
		if decode(content, &o) {
			n.tunnels = append(n.tunnels, o)
		}
	}
}

// Answer computes what a connection from a pod gets.
func (l *L4) Answer(w World, r Request) Answer {
	home, ok := l.ground.Sites[r.From.Cluster]
	if !ok || w.lost(home.Cluster) {
		return ended(Unreachable, "the caller's cluster is lost").Early
	}
	n, ok := parse(r.Host, r.From.Namespace, home.Domain)
	if !ok {
		return ended(NoRoute, r.Host+" is no name of a Service").Early
	}
	if !n.clusterSet {
		return home.itself(w, n, r)
	}
	nodes := l.nodes[home.Cluster]
	i := slices.IndexFunc(nodes.imports, func(o mcs.ServiceImport) bool { return o.Namespace == n.namespace && o.Name == n.service })
	if i < 0 || len(nodes.imports[i].Spec.IPs) == 0 {
		return ended(NoRoute, "no ServiceImport gives "+r.Host+" an address").Early
	}
	ip := v1alpha1.Address(nodes.imports[i].Spec.IPs[0])
	for _, route := range nodes.routes {
		in := route.Spec.Import
		if in != nil && slices.Contains(in.Addresses, ip) && slices.ContainsFunc(route.Spec.Ports, r.through) {
			c := connection{L4: l, world: w, request: r, home: home, route: route}
			return c.answer()
		}
	}
	return ended(NoRoute, "no ServiceRoute has "+string(ip)+" and the port").Early
}

// through tells whether a request goes to a port.
func (r Request) through(p v1alpha1.RoutePort) bool {
	return p.Port == r.Port && p.Transport == transport(r)
}

// connection is one to a clusterset IP.
type connection struct {
	*L4
	world   World
	request Request
	home    Site
	route   v1alpha1.ServiceRoute
}

func (c connection) answer() Answer {
	in := c.route.Spec.Import
	if in.MinHealthy < 1 || in.MinHealthy > 100 {
		return ended(Unreachable, "minHealthy is no percentage").Early
	}
	choice := Choice{MinHealthy: big.NewRat(int64(in.MinHealthy), 100)}
	for _, tier := range in.Tiers {
		var candidates []Candidate
		for _, b := range tier.Backends {
			if b.Weight < 0 {
				continue
			}
			candidates = append(candidates, c.candidate(b))
		}
		choice.Tiers = append(choice.Tiers, candidates)
	}
	return Answer{}.step(noPlace, "ServiceRoute/%s/%s", c.route.Namespace, c.route.Name).serve(choice.Shares())
}

// candidate is a backend of the route and the health of the pods behind it.
func (c connection) candidate(b v1alpha1.RouteBackend) Candidate {
	out := Candidate{Share: Share{Cluster: b.Cluster, Namespace: c.route.Namespace, Service: c.route.Spec.Service, Port: c.request.Port}, Weight: int64(b.Weight), Health: zero()}
	site, ok := c.home, true
	if b.Cluster != c.home.Cluster {
		site, out.Service, ok = c.behind(b.Address)
	}
	if ok {
		out.Cluster = site.Cluster
		out.Health = site.health(c.world, pods{site.Cluster, out.Namespace, out.Service, nil})
	}
	out.Alive = out.Health.Sign() > 0
	return out
}

// behind finds the cluster and the Service that an export address stands for:
// a tunnel must lead there, and the cluster must have the address.
func (c connection) behind(address v1alpha1.Address) (Site, string, bool) {
	a, err := netip.ParseAddr(string(address))
	if err != nil {
		return Site{}, "", false
	}
	for _, d := range c.nodes[c.home.Cluster].tunnels {
		for _, p := range d.Spec.Peers {
			in := slices.ContainsFunc(p.Prefixes, func(cidr v1alpha1.CIDR) bool {
				prefix, err := netip.ParsePrefix(string(cidr))
				return err == nil && prefix.Contains(a)
			})
			if !in || c.nodes[p.Cluster] == nil {
				continue
			}
			for _, r := range c.nodes[p.Cluster].routes {
				if e := r.Spec.Export; e != nil && r.Namespace == c.route.Namespace && slices.Contains(e.Addresses, address) && slices.ContainsFunc(r.Spec.Ports, c.request.through) {
					return c.ground.Sites[p.Cluster], r.Spec.Service, true
				}
			}
		}
	}
	return Site{}, "", false
}
