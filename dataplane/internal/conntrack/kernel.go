// SPDX-License-Identifier: Apache-2.0

package conntrack

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

// Kernel forgets flows in the network namespace of the thread that made it.
type Kernel struct {
	handle *netlink.Handle
	// live are the endpoints for which the flows were looked at last, and looks
	// how often nothing was to be done for them.
	live  map[netip.Addr]bool
	looks int
}

// enough looks: a flow can begin between the first and the change of the
// translation that is made after it.
const enough = 2

// Open opens the kernel.
func Open() (*Kernel, error) {
	h, err := netlink.NewHandle(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("open connection tracking: %w", err)
	}
	return &Kernel{handle: h}, nil
}

// Close lets go of the kernel.
func (k *Kernel) Close() { k.handle.Close() }

// Plan lists what forgets the flows to endpoints that are gone. The flows are
// looked at when the endpoints are others than before.
func (k *Kernel) Plan(_ context.Context, s desired.State) (op.Plan, error) {
	d := newDead(s)
	if !maps.Equal(d.live, k.live) {
		k.live, k.looks = d.live, 0
	}
	if k.looks >= enough {
		return op.Plan{}, nil
	}
	flows, err := k.handle.ConntrackTableList(netlink.ConntrackTable, netlink.FAMILY_V4)
	if err != nil {
		return op.Plan{}, fmt.Errorf("list tracked flows: %w", err)
	}
	if !slices.ContainsFunc(flows, d.MatchConntrackFlow) {
		k.looks++
		return op.Plan{}, nil
	}
	k.looks = 0
	return op.Plan{Remove: []op.Op{{Room: "conntrack", Text: "forget datagram flows to endpoints that are gone",
		Do: func(context.Context) error {
			_, err := k.handle.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.FAMILY_V4, d)
			return err
		}}}}, nil
}

// dead matches the flows to endpoints that are gone.
type dead struct {
	filter desired.Filter
	live   map[netip.Addr]bool
}

func newDead(s desired.State) dead {
	d := dead{s.Filter, map[netip.Addr]bool{}}
	for _, a := range s.Filter.Hairpin {
		d.live[a] = true
	}
	for _, c := range slices.Concat(s.Services, s.Exports) {
		d.live[c.Target.Addr()] = true
	}
	return d
}

// MatchConntrackFlow is called by the library.
func (d dead) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	asked, answers := address(f.Forward.DstIP), address(f.Reverse.SrcIP)
	return f.Forward.Protocol == unix.IPPROTO_UDP && asked != answers &&
		within(asked, d.filter.Refused, d.filter.Exported) && within(answers, d.filter.Admitted) && !d.live[answers]
}

func address(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	return a
}

// within says that one of the prefixes contains the address.
func within(a netip.Addr, lists ...[]netip.Prefix) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(p netip.Prefix) bool { return p.Contains(a) })
}
