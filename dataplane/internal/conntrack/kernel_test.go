// SPDX-License-Identifier: Apache-2.0

package conntrack

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

func TestDead(t *testing.T) {
	d := newDead(desired.State{
		Filter: desired.Filter{
			Refused:  []netip.Prefix{netip.MustParsePrefix("243.0.0.0/8")},
			Exported: []netip.Prefix{netip.MustParsePrefix("242.1.0.0/16")},
			Admitted: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("242.1.0.0/16")},
			Hairpin:  []netip.Addr{netip.MustParseAddr("10.1.0.2")},
		},
		Exports: []desired.Choice{{Target: netip.MustParseAddrPort("10.1.0.3:53")}},
	})
	for name, c := range map[string]struct {
		protocol       uint8
		asked, answers string
		want           bool
	}{
		"gone":               {unix.IPPROTO_UDP, "243.0.0.1", "10.1.0.9", true},
		"gone, exported":     {unix.IPPROTO_UDP, "242.1.0.7", "10.1.0.9", true},
		"ready":              {unix.IPPROTO_UDP, "243.0.0.1", "10.1.0.2", false},
		"ready, exported":    {unix.IPPROTO_UDP, "242.1.0.7", "10.1.0.3", false},
		"TCP":                {unix.IPPROTO_TCP, "243.0.0.1", "10.1.0.9", false},
		"another cluster's":  {unix.IPPROTO_UDP, "243.0.0.1", "242.2.0.9", false},
		"a pod by itself":    {unix.IPPROTO_UDP, "10.1.0.9", "10.1.0.9", false},
		"somebody else's":    {unix.IPPROTO_UDP, "172.30.0.1", "10.1.0.9", false},
		"nobody served then": {unix.IPPROTO_UDP, "243.0.0.1", "243.0.0.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &netlink.ConntrackFlow{
				Forward: netlink.IPTuple{Protocol: c.protocol, DstIP: net.ParseIP(c.asked)},
				Reverse: netlink.IPTuple{Protocol: c.protocol, SrcIP: net.ParseIP(c.answers)},
			}
			if got := d.MatchConntrackFlow(f); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
