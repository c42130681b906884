// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// typeChecks are the checks of texts that CUE cannot read, by type.
var typeChecks = map[reflect.Type]func(*checker, value){
	reflect.TypeFor[v1alpha1.Duration]():  (*checker).duration,
	reflect.TypeFor[v1alpha1.CIDR]():      (*checker).cidr,
	reflect.TypeFor[v1alpha1.Address]():   (*checker).address,
	reflect.TypeFor[v1alpha1.PortRange](): (*checker).ports,
}

// checkValues applies typeChecks.
func (c *checker) checkValues() {
	for _, v := range c.right {
		if check := typeChecks[v.schema.typ]; check != nil {
			check(c, v)
		}
	}
}

func (c *checker) wrongValue(v value, code, message, fix string) {
	c.report(place{v.path, v.at}, code, message, fix)
}

// duration refuses what the pattern allows and nobody can mean.
func (c *checker) duration(v value) {
	d, err := v1alpha1.Duration(v.text).Parse()
	switch name := (place{path: v.path}).name(); {
	case err != nil:
		c.wrongValue(v, diag.CodeDuration, fmt.Sprintf("%s %q is too long", name, shorten(v.text)), "write a shorter time, like 30s")
	case d == 0:
		c.wrongValue(v, diag.CodeDuration, fmt.Sprintf("%s is no time at all", name), "write a longer time, or remove the line to have none set")
	}
}

// ports refuses what is no range of ports.
func (c *checker) ports(v value) {
	if _, _, err := v1alpha1.PortRange(v.text).Parse(); err != nil {
		c.wrongValue(v, diag.CodePorts, err.Error(), fmt.Sprintf("write the lower port first and at most %d of them, like 51820-51835", v1alpha1.MaxPorts))
	}
}

// parsePrefix reads a prefix; it reports what is wrong with it and returns
// false.
func (c *checker) parsePrefix(v value) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(v.text)
	switch {
	case err != nil:
		fix := "write it like 10.1.0.0/16"
		if a, err := netip.ParseAddr(v.text); err == nil && a.Zone() == "" {
			fix = fmt.Sprintf("add the length of the prefix, like %s/16", a)
		}
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%q is not a CIDR", v.text), fix)
	case p.Addr().Is4In6():
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%q is an IPv4 range written as IPv6", v.text), "write it like 10.1.0.0/16")
	case p != p.Masked():
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%s has bits beyond its length", v.text), fmt.Sprintf("write %s", p.Masked()))
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// cidr checks a range of addresses; where it stands decides what it may be.
// Whether a cluster may have IPv6 is seen where its tunnels are.
func (c *checker) cidr(v value) {
	p, ok := c.parsePrefix(v)
	switch at := v.schema.path; {
	case !ok || at == "spec.clusters.network.podCIDRs" || at == "spec.clusters.network.serviceCIDRs":
	case at == "spec.addresses.clustersetIPv6":
		if p.Addr().Is4() {
			c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%q is IPv4", v.text), "write an IPv6 range, like fd00:243::/64, or write clusterset")
		}
	case !p.Addr().Is4():
		fix := "write the IPv4 range"
		if at == "spec.addresses.clusterset" {
			fix = "write the IPv4 range here, and the IPv6 one in clustersetIPv6"
		}
		c.wrongValue(v, diag.CodeIPv6, fmt.Sprintf("%q is IPv6, and this range is of IPv4", v.text), fix)
	case at == "spec.clusters.network.globalCIDR":
		c.globalCIDR(v, p)
	}
}

// globalCIDR must be a part of the range that the set allots from.
func (c *checker) globalCIDR(v value, own netip.Prefix) {
	text, related := v1alpha1.DefaultGlobalRange, []diag.Related(nil)
	for _, r := range c.right {
		if r.path == "spec.addresses.global" {
			text, related = r.text, []diag.Related{{Position: r.at, Message: "the range"}}
		}
	}
	all, err := netip.ParsePrefix(text)
	if err != nil || c.touches("spec.addresses.global") || all.Contains(own.Addr()) && own.Bits() >= all.Bits() {
		return
	}
	c.wrongValue(v, diag.CodeGlobalCIDR, fmt.Sprintf("globalCIDR %s is not inside addresses.global, %s", own, all), "choose a part of it, or leave globalCIDR out to be allotted one")
	c.diags[len(c.diags)-1].Related = related
}

// address must be one that other clusters can send to.
func (c *checker) address(v value) {
	a, err := netip.ParseAddr(v.text)
	switch {
	case err != nil:
		fix := "write it like 192.0.2.11; names are not looked up"
		if before, _, found := strings.Cut(v.text, "/"); found {
			fix = fmt.Sprintf("write %s, without the length", before)
		}
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%q is not an IP address", v.text), fix)
	case a.Is6() && strings.HasPrefix(v.schema.path, "spec.clusters.gateways."):
		c.wrongValue(v, diag.CodeIPv6, fmt.Sprintf("%q is IPv6, and tunnels run over IPv4 so far", v.text), "write the IPv4 address")
	case a.Zone() != "" || a.Is4In6():
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%q is not an address that others can send to", v.text), "write the address alone, IPv4 or IPv6")
	case a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a.IsLinkLocalUnicast():
		c.wrongValue(v, diag.CodeAddress, fmt.Sprintf("%s cannot be reached from another cluster", a), "write the address that the other clusters send to")
	}
}
