// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// elements are the keys of a set or map, and a map's values, as nft prints
// them. A set's values are empty.
type elements map[string]string

// content is the elements of every set and map, by name.
type content map[string]elements

// want is the content for a State.
func want(s desired.State) content {
	c := content{}
	for _, x := range sets() {
		c[x.name] = elements{}
	}
	f := s.Filter
	for _, t := range f.Tunnels {
		c[setTunnels][t.Device] = ""
		c[setOwn][t.Address.String()] = ""
		c[mapTunnelAddresses][t.Device] = t.Address.String()
	}
	for name, list := range map[string][]netip.Prefix{
		setRemote: f.Remote, setAdmitted: f.Admitted, setExported: f.Exported, setRefused: f.Refused,
	} {
		for _, p := range list {
			c[name][prefixKey(p)] = ""
		}
	}
	for _, p := range f.Identity {
		c[mapIdentity][prefixKey(p)] = prefixKey(p)
	}
	for _, a := range f.Hairpin {
		c[setHairpin][concat(a.String(), a.String())] = ""
	}
	addChoices(c[mapServices], s.Services)
	addChoices(c[mapExports], s.Exports)
	return c
}

// addChoices adds one element for each range of slots.
func addChoices(to elements, list []desired.Choice) {
	for _, x := range list {
		slot := fmt.Sprint(x.First)
		if x.Last != x.First {
			slot = fmt.Sprintf("%d-%d", x.First, x.Last)
		}
		key := concat(x.Address.String(), strings.ToLower(string(x.Transport)), fmt.Sprint(x.Port), slot)
		to[key] = concat(x.Target.Addr().String(), fmt.Sprint(x.Target.Port()))
	}
}

// separator of the parts of a concatenation.
const separator = " . "

func concat(parts ...string) string { return strings.Join(parts, separator) }

// prefixKey is a prefix as nft prints it: a single address without its length.
func prefixKey(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// parseKey is the opposite of prefixKey; the zero Prefix for what is none.
func parseKey(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}
