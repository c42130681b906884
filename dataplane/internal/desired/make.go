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

// Input is what a State is computed from.
type Input struct {
	// Node whose kernel it is.
	Node string
	// Address of the node on its underlay; the zero Addr while unknown.
	Address netip.Addr
	// UnderlayMTU in bytes of the way to the peers.
	UnderlayMTU int
	// Dataplane of the cluster; never nil.
	Dataplane *v1alpha1.Dataplane
	// Routes and Slices of the whole cluster, in any order.
	Routes []v1alpha1.ServiceRoute
	Slices []discoveryv1.EndpointSlice
	// Lowest remembers from one State to the next how healthy backends were; nil
	// where a share comes back at once.
	Lowest *Lowest
}

// maker collects a State.
type maker struct {
	in  Input
	own ranges
	out State
	// remote are the prefixes that peers lead to, floor those that nothing may be
	// sent to besides.
	remote, floor []netip.Prefix
}

// ranges are the cluster's own prefixes.
type ranges struct {
	pods       []netip.Prefix
	global     netip.Prefix
	clusterSet netip.Prefix
}

// Make computes the State.
func Make(in Input) State {
	m := &maker{in: in}
	if d := in.Dataplane.Spec.Driver; d != v1alpha1.DriverWireGuard {
		m.problem("driver %q is not supported; only wireguard is", d)
		return m.out
	}
	m.readRanges()
	peers := m.readPeers()
	m.makeTunnel(peers)
	m.makeRoutes()
	m.makeFilter()
	m.makeServices()
	slices.Sort(m.out.Problems)
	return m.out
}

// problem notes that a part of the input was left out.
func (m *maker) problem(format string, args ...any) {
	m.out.Problems = append(m.out.Problems, fmt.Sprintf(format, args...))
}

// readRanges reads the cluster's own prefixes.
func (m *maker) readRanges() {
	spec := &m.in.Dataplane.Spec
	for _, c := range spec.PodCIDRs {
		p, err := parsePrefix(c)
		if err != nil {
			m.problem("podCIDRs: %v", err)
			continue
		}
		m.own.pods = append(m.own.pods, p)
	}
	var err error
	if m.own.global, err = parsePrefix(spec.GlobalCIDR); err != nil {
		m.problem("globalCIDR: %v", err)
	}
	if m.own.clusterSet, err = parsePrefix(spec.ClusterSetCIDR); err != nil {
		m.problem("clusterSetCIDR: %v", err)
	}
}

// all are the cluster's own prefixes that are known.
func (r ranges) all() []netip.Prefix {
	out := slices.Clone(r.pods)
	for _, p := range []netip.Prefix{r.global, r.clusterSet} {
		if p.IsValid() {
			out = append(out, p)
		}
	}
	return out
}

// peer is a v1alpha1.Peer that was read.
type peer struct {
	Peer
	gateway  string
	prefixes []netip.Prefix
}

// readPeers reads the peers in the order of their names. A prefix that an
// earlier peer has already is not given to a later one: one prefix belongs to
// one peer of an interface.
func (m *maker) readPeers() []peer {
	list := slices.Clone(m.in.Dataplane.Spec.Peers)
	slices.SortStableFunc(list, func(a, b v1alpha1.Peer) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Gateway, b.Gateway))
	})
	taken := map[netip.Prefix]string{}
	keys := map[string]bool{}
	var out []peer
	for _, p := range list {
		if m.untranslated(p) {
			continue
		}
		name := p.Cluster + "/" + p.Gateway
		got, err := m.readPeer(p)
		if err == nil && keys[p.PublicKey] {
			err = fmt.Errorf("the public key is another peer's too")
		}
		if err != nil {
			m.problem("peer %s: %v", name, err)
			continue
		}
		keys[p.PublicKey] = true
		got.gateway = name
		for _, prefix := range got.prefixes {
			owner, clash := overlapping(taken, prefix)
			if clash && owner != p.Cluster {
				m.problem("peer %s: prefix %s is also cluster %s's", name, prefix, owner)
			}
			if !clash {
				taken[prefix] = p.Cluster
				got.AllowedIPs = append(got.AllowedIPs, prefix)
				m.remote = append(m.remote, prefix)
			}
		}
		got.AllowedIPs = outermost(got.AllowedIPs...)
		out = append(out, got)
	}
	m.remote = outermost(m.remote...)
	slices.SortFunc(out, func(a, b peer) int { return cmp.Compare(a.PublicKey, b.PublicKey) })
	return out
}

// overlapping finds the owner of a prefix that overlaps p. The smallest such
// owner is named, so that the order of a map does not show.
func overlapping(taken map[netip.Prefix]string, p netip.Prefix) (owner string, found bool) {
	for q, c := range taken {
		if q.Overlaps(p) && (!found || c < owner) {
			owner, found = c, true
		}
	}
	return owner, found
}
