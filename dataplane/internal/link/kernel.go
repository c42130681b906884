// SPDX-License-Identifier: Apache-2.0

package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

const room = "link"

// Userspace makes interfaces where the kernel knows no WireGuard.
type Userspace interface {
	// Start makes the interface and marks it with the alias. It returns when
	// the interface can be configured.
	Start(ctx context.Context, name, alias string) error
	// Alive says whether the process behind an interface answers. It is an
	// error when an interface of that name is in another network namespace.
	Alive(name string) (bool, error)
	// Gone returns when the process behind a removed interface has ended.
	Gone(ctx context.Context, name string) error
}

// Kernel makes interfaces in the network namespace of the thread that made it.
type Kernel struct {
	handle *netlink.Handle
	user   Userspace
}

// Open opens the kernel.
func Open(user Userspace) (*Kernel, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err == nil {
		err = h.SetStrictCheck(true)
	}
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	return &Kernel{handle: h, user: user}, nil
}

// Close lets go of the kernel. Interfaces stay.
func (k *Kernel) Close() { k.handle.Close() }

// Plan lists the changes that make the interfaces match.
func (k *Kernel) Plan(_ context.Context, s desired.State) (op.Plan, error) {
	have, err := k.observe(s.Tunnel)
	if err != nil {
		return op.Plan{}, err
	}
	add, later, err := diff(s.Tunnel, have)
	return op.Plan{Add: k.ops(add), Remove: k.ops(later)}, err
}

func (k *Kernel) ops(changes []change) []op.Op {
	var out []op.Op
	for _, c := range changes {
		out = append(out, op.Op{Room: room, Text: c.String(), Do: func(ctx context.Context) error { return k.do(ctx, c) }})
	}
	return out
}

// observe reads the interfaces that are ours and the one that has the wanted
// name.
func (k *Kernel) observe(want *desired.Tunnel) ([]observed, error) {
	links, err := retry(k.handle.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var out []observed
	for _, l := range links {
		a := l.Attrs()
		o := observed{name: a.Name, kind: l.Type(), alias: a.Alias, mtu: a.MTU, up: a.Flags&net.FlagUp != 0}
		if l.Type() == "tuntap" { // the library's name for the kernel's "tun"
			o.kind = kindTUN
		}
		wanted := want != nil && o.name == want.Name
		if !wanted && !o.ours() {
			continue
		}
		if o.addresses, err = k.addresses(l); err != nil {
			return nil, err
		}
		if o.kind == kindTUN {
			alive, err := k.user.Alive(o.name)
			if err != nil {
				return nil, err
			}
			o.dead = !alive
		}
		out = append(out, o)
	}
	return out, nil
}

// addresses lists the IPv4 addresses of an interface, with their lengths.
func (k *Kernel) addresses(l netlink.Link) ([]netip.Prefix, error) {
	list, err := retry(func() ([]netlink.Addr, error) { return k.handle.AddrList(l, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list the addresses of %s: %w", l.Attrs().Name, err)
	}
	var out []netip.Prefix
	for _, a := range list {
		if addr, ok := netip.AddrFromSlice(a.IP.To4()); ok {
			ones, _ := a.Mask.Size()
			out = append(out, netip.PrefixFrom(addr, ones))
		}
	}
	return out, nil
}

// do makes one change.
func (k *Kernel) do(ctx context.Context, c change) error {
	if c.verb == create {
		return k.create(ctx, c)
	}
	l, err := k.handle.LinkByName(c.name)
	if err != nil {
		return err
	}
	switch c.verb {
	case mark:
		return k.handle.LinkSetAlias(l, c.alias)
	case setMTU:
		return k.handle.LinkSetMTU(l, c.mtu)
	case addAddress:
		return k.handle.AddrAdd(l, &netlink.Addr{IPNet: ipNet(c.address)})
	case removeAddress:
		return k.handle.AddrDel(l, &netlink.Addr{IPNet: ipNet(c.address)})
	case bringUp:
		return k.handle.LinkSetUp(l)
	case remove:
		if err := k.handle.LinkDel(l); err != nil {
			return err
		}
		return k.user.Gone(ctx, cmp.Or(c.born, c.name))
	}
	return fmt.Errorf("unknown change %q", c.verb)
}

// create makes the interface by the kernel's WireGuard if it has it.
func (k *Kernel) create(ctx context.Context, c change) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = c.name
	err := k.handle.LinkAdd(&netlink.Wireguard{LinkAttrs: attrs})
	if errors.Is(err, unix.EOPNOTSUPP) {
		return k.user.Start(ctx, c.name, c.alias)
	}
	if err != nil {
		return err
	}
	return SetAlias(c.name, c.alias)
}

// SetAlias marks an interface of the calling thread's network namespace.
func SetAlias(name, alias string) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer h.Close()
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkSetAlias(l, alias)
	}
	if err != nil {
		return fmt.Errorf("set the alias of %s: %w", name, err)
	}
	return nil
}

// CleanUp lists what removes every interface that is ours.
func (k *Kernel) CleanUp(ctx context.Context) ([]op.Op, error) {
	p, err := k.Plan(ctx, desired.State{})
	return p.Remove, err
}

// ipNet is p as the library takes it.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// retry repeats a dump that the kernel says was interrupted by a change.
func retry[T any](dump func() (T, error)) (out T, err error) {
	const attempts = 5
	for range attempts {
		if out, err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, err
}
