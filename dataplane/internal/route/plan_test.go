// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

func TestDiff(t *testing.T) {
	p, q := netip.MustParsePrefix("10.2.0.0/16"), netip.MustParsePrefix("10.3.0.0/16")
	floor := func(p netip.Prefix) route { return route{prefix: p, metric: FloorMetric, unreachable: true} }
	via := func(p netip.Prefix, a string) route {
		return route{prefix: p, device: "eth0", via: netip.MustParseAddr(a)}
	}
	dev := func(p netip.Prefix) route { return route{prefix: p, device: "fl1"} }
	wanted := want(desired.State{Routes: []desired.Route{
		{Prefix: p, Unreachable: true}, {Prefix: p, Via: netip.MustParseAddr("192.0.2.1")},
	}})
	for name, c := range map[string]struct {
		have        []route
		set, remove string
	}{
		"new":          {nil, "[unreachable 10.2.0.0/16 metric 4278198272 10.2.0.0/16 via 192.0.2.1]", "[]"},
		"same":         {[]route{via(p, "192.0.2.1"), floor(p)}, "[]", "[]"},
		"other way":    {[]route{via(p, "192.0.2.9"), floor(p)}, "[10.2.0.0/16 via 192.0.2.1]", "[]"},
		"was a tunnel": {[]route{dev(p), floor(p)}, "[10.2.0.0/16 via 192.0.2.1]", "[]"},
		"stale: the floor goes last": {[]route{floor(q), floor(p), dev(q), via(p, "192.0.2.1")}, "[]",
			"[10.3.0.0/16 dev fl1 unreachable 10.3.0.0/16 metric 4278198272]"},
	} {
		t.Run(name, func(t *testing.T) {
			set, remove := diff(wanted, c.have)
			if fmt.Sprint(set) != c.set || fmt.Sprint(remove) != c.remove {
				t.Errorf("set %v, want %s; remove %v, want %s", set, c.set, remove, c.remove)
			}
		})
	}
}

func TestDiffRules(t *testing.T) {
	ours := rule{RulePriority, true}
	for _, c := range []struct {
		have []rule
		keep int
	}{
		{nil, -1},
		{[]rule{ours}, 0},
		{[]rule{{RulePriority, false}, ours, ours}, 1},
		{[]rule{{RulePriority + 1, true}}, -1},
	} {
		if keep := diffRules(c.have); keep != c.keep {
			t.Errorf("%v: keep %d, want %d", c.have, keep, c.keep)
		}
	}
}
