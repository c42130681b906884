// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

func TestDiff(t *testing.T) {
	alias := desired.AliasPrefix + "gateway a of c1"
	want := &desired.Tunnel{Name: "fl1", Alias: alias, Address: netip.MustParseAddr("242.1.0.1"), MTU: 1440}
	right := observed{name: "fl1", kind: kindTUN, alias: alias, mtu: 1440, up: true,
		addresses: []netip.Prefix{netip.MustParsePrefix("242.1.0.1/32")}}
	with := func(change func(*observed)) []observed {
		o := right
		change(&o)
		return []observed{o}
	}
	making := "create fl1 (" + alias + "); set the MTU of fl1: 1440; add the address of fl1: 242.1.0.1/32; bring up fl1"
	for name, c := range map[string]struct {
		want *desired.Tunnel
		have []observed
		add  string
		rest string
	}{
		"nothing wanted":   {nil, nil, "", ""},
		"missing":          {want, nil, making, ""},
		"right":            {want, []observed{right}, "", ""},
		"dead":             {want, with(func(o *observed) { o.dead = true }), "remove fl1; " + making, ""},
		"not yet marked":   {want, with(func(o *observed) { o.alias = "" }), "set the alias of fl1 (" + alias + ")", ""},
		"down":             {want, with(func(o *observed) { o.up = false }), "bring up fl1", ""},
		"other MTU":        {want, with(func(o *observed) { o.mtu = 1420 }), "set the MTU of fl1: 1440", ""},
		"stale address":    {want, with(func(o *observed) { o.addresses = append(o.addresses, netip.MustParsePrefix("242.1.0.9/32")) }), "", "remove the address of fl1: 242.1.0.9/32"},
		"another of ours":  {want, append(with(func(o *observed) { o.name = "fl2" }), right), "", "remove fl2"},
		"renamed":          {want, with(func(o *observed) { o.name = "eth9" }), "remove eth9; " + making, ""},
		"no more wanted":   {nil, []observed{right}, "", "remove fl1"},
		"somebody else's":  {want, with(func(o *observed) { o.alias = "mine" }), "interface fl1 is somebody else's (tun, alias \"mine\"): rename it", ""},
		"of another kind":  {want, with(func(o *observed) { o.alias, o.kind = "", "veth" }), "interface fl1 is somebody else's (veth, alias \"\"): rename it", ""},
		"not ours, unused": {nil, with(func(o *observed) { o.alias = "mine" }), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			add, later, err := diff(c.want, c.have)
			got := list(add)
			if err != nil {
				got = err.Error()
			}
			if got != c.add || list(later) != c.rest {
				t.Errorf("add %q, want %q; later %q, want %q", got, c.add, list(later), c.rest)
			}
		})
	}
}

func list(changes []change) string {
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprint(c))
	}
	return strings.Join(out, "; ")
}
