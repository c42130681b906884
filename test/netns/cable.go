// SPDX-License-Identifier: Apache-2.0

package netns

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// End is one interface of a cable.
type End struct {
	NS *NS
	// Name is the interface's name, at most 15 characters.
	Name string
	// Addresses are given to the interface, each with its prefix length. The
	// kernel makes the connected routes.
	Addresses []netip.Prefix
	// MTU in bytes. Zero leaves the kernel's 1500.
	MTU int
}

// maxInterfaceName is the kernel's IFNAMSIZ without the closing zero byte.
const maxInterfaceName = unix.IFNAMSIZ - 1

// Cable joins two namespaces with a veth pair and brings both ends up. Neither
// interface is left behind on an error.
func Cable(a, b End) error {
	for _, e := range []End{a, b} {
		if e.Name == "" || len(e.Name) > maxInterfaceName {
			return fmt.Errorf("join %s to %s: interface name %q is not 1 to %d characters long",
				a.NS.name, b.NS.name, e.Name, maxInterfaceName)
		}
	}
	h, err := a.NS.Handle()
	if err != nil {
		return err
	}
	other, err := b.NS.open()
	if err != nil {
		return err
	}
	defer unix.Close(other)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = a.Name
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: b.Name, PeerNamespace: netlink.NsFd(other)}
	if err := h.LinkAdd(veth); err != nil {
		return fmt.Errorf("join %s (%s) to %s (%s): %w", a.NS.name, a.Name, b.NS.name, b.Name, err)
	}
	for _, e := range []End{a, b} {
		if err := e.setUp(); err != nil {
			_ = h.LinkDel(veth)
			return err
		}
	}
	return nil
}

// setUp gives an interface its addresses and brings it up.
func (e End) setUp() error {
	h, err := e.NS.Handle()
	if err != nil {
		return err
	}
	link, err := h.LinkByName(e.Name)
	if err != nil {
		return fmt.Errorf("find %s in %s: %w", e.Name, e.NS.name, err)
	}
	if e.MTU != 0 {
		if err := h.LinkSetMTU(link, e.MTU); err != nil {
			return fmt.Errorf("set the MTU of %s in %s: %w", e.Name, e.NS.name, err)
		}
	}
	for _, p := range e.Addresses {
		addr := &netlink.Addr{IPNet: IPNet(p)}
		if p.Addr().Is6() {
			// Duplicate address detection would leave it unusable for a second.
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := h.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("add %s to %s in %s: %w", p, e.Name, e.NS.name, err)
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s up in %s: %w", e.Name, e.NS.name, err)
	}
	return nil
}

// IPNet is p in the form that netlink takes, host bits kept.
func IPNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
