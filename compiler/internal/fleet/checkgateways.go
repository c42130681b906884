// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
)

// checkGateways finds clusters that take part without a gateway, and gateways
// that git gives the same key or endpoint.
func (b *builder) checkGateways() {
	for _, s := range b.fleet.Services {
		for _, p := range s.Policies {
			for _, c := range p.Consumers {
				b.checkGateway(c)
			}
		}
		for _, c := range s.Exporters {
			if !s.Adopted {
				b.checkGateway(c)
			}
		}
	}
	for _, s := range b.fleet.Sets {
		b.checkGatewayTwice(s)
		b.checkIdle(s)
	}
}

func (b *builder) checkGateway(c *Cluster) {
	if !c.Tunnels() || len(c.Gateways) > 0 {
		return
	}
	b.report(mistake{code: CodeNoGateway, at: c.At(".name"), fix: "write gateways with the name of the node that ends its tunnels"},
		"cluster %q takes part by tunnel but has no gateway", c.Name)
}

// written is a gateway as git has it.
type written struct {
	*Gateway
	cluster *Cluster
	path    string
}

func (w written) at(field string) diag.Position { return w.cluster.At(w.path + field) }

// beside says whose two gateways are.
func (w written) beside(first written) string {
	if w.cluster == first.cluster {
		return fmt.Sprintf("cluster %q has two gateways", w.cluster.Name)
	}
	return fmt.Sprintf("clusters %q and %q have gateways", first.cluster.Name, w.cluster.Name)
}

// reached is an address; a private one is of its region.
type reached struct {
	region string
	addr   netip.Addr
}

// checkGatewayTwice compares every gateway of a set with those before it.
func (b *builder) checkGatewayTwice(s *Set) {
	keys, at := map[string]written{}, map[reached][]written{}
	for _, c := range s.Clusters {
		for i, g := range c.Gateways {
			w := written{g, c, fmt.Sprintf(".gateways[%d]", i)}
			if first, ok := keys[g.pin]; ok && g.pin != "" {
				b.report(mistake{code: CodeGatewayTwice, at: w.at(".publicKey"), fix: "every gateway has its own key",
					related: also(first.at(".publicKey"), "the other one")}, "%s with the same public key", w.beside(first))
			}
			keys[g.pin] = w
			for _, addr := range g.declared {
				b.checkEndpoint(w, ".addresses", at, reached{addr: addr})
			}
			for _, addr := range g.private {
				if c.Region != "" {
					b.checkEndpoint(w, ".privateAddresses", at, reached{c.Region, addr})
				}
			}
		}
	}
}

// checkEndpoint: gateways with one address, such as that of a NAT, have no port
// in common.
func (b *builder) checkEndpoint(w written, field string, at map[reached][]written, where reached) {
	for _, first := range at[where] {
		if port := max(w.Port, first.Port); port <= min(w.LastPort, first.LastPort) {
			b.report(mistake{code: CodeGatewayTwice, at: w.at(field), fix: "give one of them another address or other ports",
				related: also(first.at(field), "the other one")}, "%s at the same endpoint %s", w.beside(first), netip.AddrPortFrom(where.addr, uint16(port)))
		}
	}
	at[where] = append(at[where], w)
}

// checkIdle warns of what is written of gateways and takes no part.
func (b *builder) checkIdle(s *Set) {
	for _, c := range s.Clusters {
		if !c.Tunnels() || c.Removed() {
			continue
		}
		for i := range c.Gateways {
			w := written{c.Gateways[i], c, fmt.Sprintf(".gateways[%d]", i)}
			if i >= len(c.Running()) {
				b.warn(mistake{code: CodeIdleGateway, at: w.at(".name"), fix: "put the one first that is to run, and keep the others for when it is lost"},
					"gateway %s of cluster %q takes no part: agents of this version run one gateway per cluster, and %s is the first", w.Name, c.Name, c.Gateways[0].Name)
				continue
			}
			told := func(other *Cluster) bool {
				return other != c && other.Tunnels() && len(c.Private(w.Gateway, other)) > 0
			}
			if len(w.private) > 0 && !slices.ContainsFunc(c.Joined, told) {
				b.warn(mistake{code: CodeIdleGateway, at: w.at(".privateAddresses"), fix: "write the region of the clusters that share a network, and privateAddresses in each of them"},
					"no other cluster uses the private addresses of gateway %s of cluster %q", w.Name, c.Name)
			}
		}
	}
}
