// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// UnderlayMTU is the smallest MTU, in bytes, of the interfaces and routes that
// lead to the given addresses; zero where there is no way to any of them.
func (k *Kernel) UnderlayMTU(to []netip.Addr) int {
	smallest := 0
	for _, a := range to {
		if mtu := k.mtuTowards(a); mtu > 0 && (smallest == 0 || mtu < smallest) {
			smallest = mtu
		}
	}
	return smallest
}

// mtuTowards is the MTU of the way to an address; zero where there is none.
func (k *Kernel) mtuTowards(a netip.Addr) int {
	routes, err := k.handle.RouteGet(a.AsSlice())
	if err != nil || len(routes) == 0 {
		return 0
	}
	l, err := k.handle.LinkByIndex(routes[0].LinkIndex)
	if err != nil || strings.HasPrefix(l.Attrs().Alias, desired.AliasPrefix) {
		return 0
	}
	mtu := l.Attrs().MTU
	if m := routes[0].MTU; m > 0 && m < mtu {
		return m
	}
	return mtu
}

// HasAddress says that the node itself has the address.
func (k *Kernel) HasAddress(a netip.Addr) (bool, error) {
	list, err := retry(func() ([]netlink.Addr, error) { return k.handle.AddrList(nil, netlink.FAMILY_V4) })
	for _, have := range list {
		if addr, ok := netip.AddrFromSlice(have.IP.To4()); ok && addr == a {
			return true, nil
		}
	}
	return false, err
}
