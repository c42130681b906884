// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// address6Bits is the length of a single IPv6 address.
const address6Bits = 128

// IPv6 tells whether pods of the cluster have IPv6 addresses, as its podCIDRs
// say.
func (c *Cluster) IPv6() bool {
	return slices.ContainsFunc(c.Pods, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// IPv6Only tells whether pods of the cluster have no IPv4 addresses, as its
// podCIDRs say: where none are given, they are taken to have them.
func (c *Cluster) IPv6Only() bool {
	return c.IPv6() && !slices.ContainsFunc(c.Pods, func(p netip.Prefix) bool { return p.Addr().Is4() })
}

// dualStack tells whether everyone who takes part in a service has IPv6. Where
// a ServiceExport that exists decides who exports, that is every cluster of the
// set: nobody's address may come and go with what is observed.
func (s *Service) dualStack() bool {
	all := slices.Clone(s.named())
	if s.Adopted {
		all = s.Set.Clusters
	}
	for _, p := range s.Policies {
		all = append(all, p.Consumers...)
	}
	return s.Set.Virtual6.IsValid() && len(all) > 0 && !slices.ContainsFunc(all, func(c *Cluster) bool { return !c.IPv6() })
}

// allotVirtual6 gives each service its IPv6 clusterset IP. Sets that share a
// range share the names in it.
func (b *builder) allotVirtual6() {
	done := map[netip.Prefix]bool{}
	for _, set := range b.fleet.Sets {
		if done[set.Virtual6] || !set.Virtual6.IsValid() {
			continue
		}
		done[set.Virtual6] = true
		var wanted []allot.Name
		var services []*Service
		for _, s := range b.fleet.Services {
			if s.Set.Virtual6 == set.Virtual6 && s.dualStack() {
				services = append(services, s)
				wanted = append(wanted, virtual6Name(s))
			}
		}
		got := b.from(allot.Pool{Range: set.Virtual6, Bits: address6Bits}, wanted, set.At("spec.addresses.clustersetIPv6"))
		for _, s := range services {
			if part, ok := got[virtual6Name(s)]; ok {
				s.Virtual6 = part.Addr()
				b.keep(inventory.PoolClusterSet6, s.Key(), part.Addr().String())
			}
		}
	}
}

func virtual6Name(s *Service) allot.Name {
	return allot.Name{Pool: inventory.PoolClusterSet6, Key: s.Key()}
}
