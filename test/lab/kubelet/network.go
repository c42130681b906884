// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/fairlead/fairlead/test/netns"
)

// podInterface is the name of a pod's only interface.
const podInterface = "eth0"

// gateway is the next hop of every pod. No host has it: a fixed neighbour entry
// leads to the node's end of the cable, so nodes need no address per pod.
var gateway = netip.AddrFrom4([4]byte{169, 254, 1, 1})

// place is where a pod's containers run.
type place struct {
	ns *netns.NS
	ip netip.Addr
	// release undoes it.
	release func() error
}

// attach makes a pod's namespace and joins it to the node.
func (n *node) attach(name string) (place, error) {
	ip, err := n.pool.take()
	if err != nil {
		return place{}, err
	}
	ns, err := netns.New(name)
	if err != nil {
		n.pool.give(ip)
		return place{}, err
	}
	side := fmt.Sprintf("pod%d", n.cables.Add(1))
	p := place{ns: ns, ip: ip, release: func() error {
		// The kernel removes a namespace some time after its last user; the
		// route to the address must be gone before another pod gets it.
		err := errors.Join(n.unplug(side), ns.Close())
		n.pool.give(ip)
		return err
	}}
	if err := n.plug(p, side); err != nil {
		return place{}, errors.Join(fmt.Errorf("attach %s to %s: %w", name, n.Name, err), p.release())
	}
	return p, nil
}

// plug joins a pod to the node by a cable and makes the routes of both.
func (n *node) plug(p place, side string) error {
	self := netip.PrefixFrom(p.ip, p.ip.BitLen())
	err := netns.Cable(
		netns.End{NS: p.ns, Name: podInterface, Addresses: []netip.Prefix{self}},
		netns.End{NS: n.NS, Name: side})
	if err != nil {
		return err
	}
	h, err := n.NS.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(side)
	if err != nil {
		return err
	}
	err = h.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: netns.IPNet(self), Scope: netlink.SCOPE_LINK})
	if err != nil {
		return fmt.Errorf("route to %s: %w", p.ip, err)
	}
	return defaultRoute(p.ns, link.Attrs().HardwareAddr)
}

// defaultRoute leads everything a pod sends to the node.
func defaultRoute(ns *netns.NS, nodeSide net.HardwareAddr) error {
	h, err := ns.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(podInterface)
	if err != nil {
		return err
	}
	index := link.Attrs().Index
	via := gateway.AsSlice()
	err = h.NeighAdd(&netlink.Neigh{LinkIndex: index, IP: via, HardwareAddr: nodeSide, State: netlink.NUD_PERMANENT})
	if err != nil {
		return fmt.Errorf("neighbour %s: %w", gateway, err)
	}
	err = h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: via, Flags: int(netlink.FLAG_ONLINK)})
	if err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	return nil
}

// unplug removes the node's end of a cable, and so the other. A missing one is
// fine.
func (n *node) unplug(side string) error {
	h, err := n.NS.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(side)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.LinkDel(link)
}
