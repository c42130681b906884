// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"net/netip"
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
	}
}

func (b *builder) checkGateway(c *Cluster) {
	if !c.Tunnels() || len(c.Gateways) > 0 {
		return
	}
	b.report(mistake{code: CodeNoGateway, at: c.At(".name"), fix: "write gateways with the name of the node that ends its tunnels"},
		"cluster %q takes part by tunnel but has no gateway", c.Name)
}

// checkGatewayTwice compares every gateway of a set with those before it.
func (b *builder) checkGatewayTwice(s *Set) {
	type seen struct {
		cluster *Cluster
		path    string
	}
	keys, endpoints := map[string]seen{}, map[netip.AddrPort]seen{}
	for _, c := range s.Clusters {
		for i, g := range c.Gateways {
			here := seen{c, fmt.Sprintf(".gateways[%d]", i)}
			if first, ok := keys[g.pin]; ok && g.pin != "" {
				b.report(mistake{code: CodeGatewayTwice, at: c.At(here.path + ".publicKey"), fix: "every gateway has its own key",
					related: also(first.cluster.At(first.path+".publicKey"), "the other one")},
					"clusters %q and %q have gateways with the same public key", first.cluster.Name, c.Name)
			}
			keys[g.pin] = here
			for _, addr := range g.declared {
				endpoint := netip.AddrPortFrom(addr, uint16(g.Port))
				if first, ok := endpoints[endpoint]; ok {
					b.report(mistake{code: CodeGatewayTwice, at: c.At(here.path + ".addresses"), fix: "give one of them another address or port",
						related: also(first.cluster.At(first.path+".addresses"), "the other one")},
						"clusters %q and %q have gateways at the same endpoint %s", first.cluster.Name, c.Name, endpoint)
				}
				endpoints[endpoint] = here
			}
		}
	}
}
