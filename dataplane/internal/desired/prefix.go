// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// parsePrefix reads an IPv4 prefix.
func parsePrefix(c v1alpha1.CIDR) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(string(c))
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is not a prefix like 10.1.0.0/16", string(c))
	case !p.Addr().Is4():
		return netip.Prefix{}, fmt.Errorf("%s is IPv6, which is not supported yet", p)
	case p.Bits() == 0:
		return netip.Prefix{}, fmt.Errorf("%s is everything", p)
	}
	return p.Masked(), nil
}

// parseAddr reads an IPv4 address.
func parseAddr(a v1alpha1.Address) (netip.Addr, error) {
	addr, err := netip.ParseAddr(string(a))
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is not an address", string(a))
	case !addr.Is4():
		return netip.Addr{}, fmt.Errorf("%s is IPv6, which is not supported yet", addr)
	}
	return addr, nil
}

// single is the prefix that holds one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// outermost sorts prefixes and leaves out those that lie in another one. The
// kernel's interval sets refuse overlaps.
func outermost(list ...netip.Prefix) []netip.Prefix {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, comparePrefix)
	var out []netip.Prefix
	for _, p := range sorted {
		if !slices.ContainsFunc(out, func(o netip.Prefix) bool { return o.Overlaps(p) }) {
			out = append(out, p)
		}
	}
	return out
}

// comparePrefix orders by address, the wider prefix first.
func comparePrefix(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// within says that one of the prefixes contains the address.
func within(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}
