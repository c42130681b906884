// SPDX-License-Identifier: Apache-2.0

package underlay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/fairlead/fairlead/test/netns"
)

const (
	// Interface is the name of the segment's interface in each node.
	Interface = "eth0"

	bridgeName = "segment"
	// portPrefix begins the bridge's port names; a number follows.
	portPrefix = "port"
)

// Condition is what a link does to frames. The zero value passes all of them at
// once.
type Condition struct {
	// Cut drops everything; Loss and Delay then do not matter.
	Cut bool
	// Loss is the fraction of frames dropped in each direction, 0 to 1.
	Loss float64
	// Delay is added in each direction.
	Delay time.Duration
}

// Underlay is one segment. Its methods may be called concurrently.
type Underlay struct {
	ns *netns.NS

	mu     sync.Mutex
	ports  map[string]port
	links  map[link]Condition
	relays map[link][]*relay
}

// port is a node's place on the bridge.
type port struct {
	name string
	// mac is the node's own address, not the port's.
	mac net.HardwareAddr
}

// link is a pair of node names, the smaller first.
type link struct{ a, b string }

// linkOf makes the pair regardless of order.
func linkOf(a, b string) link {
	if b < a {
		a, b = b, a
	}
	return link{a, b}
}

// New makes a segment without nodes. name is its namespace's.
func New(name string) (*Underlay, error) {
	ns, err := netns.New(name)
	if err != nil {
		return nil, err
	}
	u := &Underlay{ns: ns, ports: map[string]port{}, links: map[link]Condition{}, relays: map[link][]*relay{}}
	if err := u.addBridge(); err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return u, nil
}

// addBridge makes the bridge.
func (u *Underlay) addBridge() error {
	h, err := u.ns.Handle()
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridgeName
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := h.LinkAdd(bridge); err != nil {
		return fmt.Errorf("make the segment's bridge: %w", err)
	}
	if err := h.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring the segment's bridge up: %w", err)
	}
	return nil
}

// Attach joins a node to the segment under a name and gives it an address.
func (u *Underlay) Attach(name string, node *netns.NS, address netip.Prefix) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.ports[name]; ok {
		return fmt.Errorf("attach %s to the underlay: already attached", name)
	}
	p := port{name: fmt.Sprintf("%s%d", portPrefix, len(u.ports))}
	err := netns.Cable(
		netns.End{NS: node, Name: Interface, Addresses: []netip.Prefix{address}},
		netns.End{NS: u.ns, Name: p.name})
	if err != nil {
		return err
	}
	if p.mac, err = macOf(node); err != nil {
		return err
	}
	h, err := u.ns.Handle()
	if err != nil {
		return err
	}
	bridge, err := h.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find the segment's bridge: %w", err)
	}
	side, err := h.LinkByName(p.name)
	if err == nil {
		err = h.LinkSetMaster(side, bridge)
	}
	if err != nil {
		return fmt.Errorf("attach %s to the underlay: %w", name, err)
	}
	u.ports[name] = p
	return nil
}

// macOf is the hardware address of a node's interface on the segment.
func macOf(node *netns.NS) (net.HardwareAddr, error) {
	h, err := node.Handle()
	if err != nil {
		return nil, err
	}
	l, err := h.LinkByName(Interface)
	if err != nil {
		return nil, fmt.Errorf("find %s in %s: %w", Interface, node.Name(), err)
	}
	return l.Attrs().HardwareAddr, nil
}

// Cut stops everything between two nodes.
func (u *Underlay) Cut(a, b string) error { return u.change(a, b, func(c *Condition) { c.Cut = true }) }

// Drop loses a fraction (0 to 1) of the frames between two nodes, in each
// direction.
func (u *Underlay) Drop(a, b string, fraction float64) error {
	if !(fraction >= 0 && fraction <= 1) {
		return fmt.Errorf("drop a fraction of %v between %s and %s: not between 0 and 1", fraction, a, b)
	}
	return u.change(a, b, func(c *Condition) { c.Loss = fraction })
}

// Delay slows each direction between two nodes by d.
func (u *Underlay) Delay(a, b string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("delay the link between %s and %s by %s: less than nothing", a, b, d)
	}
	return u.change(a, b, func(c *Condition) { c.Delay = d })
}

// Restore makes a link perfect again. Frames still under way on a slow link are
// lost.
func (u *Underlay) Restore(a, b string) error {
	return u.change(a, b, func(c *Condition) { *c = Condition{} })
}

// Condition is a link's present condition.
func (u *Underlay) Condition(a, b string) Condition {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.links[linkOf(a, b)]
}

// change edits one link's condition and makes the kernel and the relays follow.
func (u *Underlay) change(a, b string, edit func(*Condition)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range []string{a, b} {
		if _, ok := u.ports[n]; !ok {
			return fmt.Errorf("change the link between %s and %s: no node %s on the underlay", a, b, n)
		}
	}
	l := linkOf(a, b)
	c := u.links[l]
	edit(&c)
	if c == (Condition{}) {
		delete(u.links, l)
	} else {
		u.links[l] = c
	}
	return u.enforce(l, c)
}

// enforce is called with the lock held. The relays of the link start before
// the bridge drops its frames, and stop after it passes them again.
func (u *Underlay) enforce(l link, c Condition) error {
	old := u.relays[l]
	delete(u.relays, l)
	defer func() {
		for _, r := range old {
			r.close()
		}
	}()
	if c.Delay > 0 && !c.Cut {
		a, b := u.ports[l.a], u.ports[l.b]
		for _, way := range [][2]port{{a, b}, {b, a}} {
			r, err := startRelay(u.ns, way[0], way[1], c)
			if err != nil {
				return fmt.Errorf("delay the link between %s and %s: %w", l.a, l.b, err)
			}
			u.relays[l] = append(u.relays[l], r)
		}
	}
	cmd := u.ns.Command(context.Background(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(ruleset(u.ports, u.links))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("change the link between %s and %s: nft: %w: %s", l.a, l.b, err, out)
	}
	return nil
}

// Close removes the segment. The nodes stay, without their interface.
func (u *Underlay) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for l, relays := range u.relays {
		for _, r := range relays {
			r.close()
		}
		delete(u.relays, l)
	}
	return u.ns.Close()
}
