// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// stale is how long after its last handshake a session cannot be alive any
// more: WireGuard's Reject-After-Time.
const stale = 180 * time.Second

// device is the configuration of an interface, without secrets.
type device struct {
	publicKey string
	port      int
	peers     []peer
}

// peer is one peer of a device.
type peer struct {
	key       string
	endpoint  netip.AddrPort
	allowed   []netip.Prefix
	keepalive time.Duration
	handshake time.Time
}

// change is one step of configuration.
type change struct {
	// peer is the public key; empty to set the device's own key and port.
	peer string
	port int
	// endpoint to set; the zero AddrPort leaves it.
	endpoint netip.AddrPort
	// add are AllowedIPs to add, drop those to remove.
	add, drop []netip.Prefix
	// create says that the peer is new, remove that it goes as a whole.
	create, remove bool
}

// String is what the change does. Public keys are no secret.
func (c change) String() string {
	switch {
	case c.peer == "":
		return fmt.Sprintf("set the key and listen on port %d", c.port)
	case c.remove:
		return "remove peer " + c.peer
	case len(c.drop) > 0:
		return fmt.Sprintf("drop AllowedIPs %s of peer %s", join(c.drop), c.peer)
	}
	s := "change peer " + c.peer
	if c.create {
		s = "add peer " + c.peer
	}
	if c.endpoint.IsValid() {
		s += " at " + c.endpoint.String()
	}
	if len(c.add) > 0 {
		s += " with AllowedIPs " + join(c.add)
	}
	return s
}

func join(list []netip.Prefix) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, ",")
}

// memory is what was set before, by the peer's public key. It may be empty,
// as after a start.
type memory map[string]netip.AddrPort

// differ is what a comparison needs beside the two sides.
type differ struct {
	// publicKey of the node.
	publicKey string
	set       memory
	now       time.Time
}

// diff computes the changes that make a device match: what is added, and what
// is removed afterwards.
func (d differ) diff(want desired.Tunnel, have device) (add, later []change) {
	if have.publicKey != d.publicKey || have.port != want.Port {
		add = append(add, change{port: want.Port})
	}
	wanted := map[string]bool{}
	owner := map[netip.Prefix]string{}
	for _, w := range want.Peers {
		wanted[w.PublicKey] = true
		for _, p := range w.AllowedIPs {
			owner[p] = w.PublicKey
		}
		i := slices.IndexFunc(have.peers, func(p peer) bool { return p.key == w.PublicKey })
		if i < 0 {
			add = append(add, change{peer: w.PublicKey, create: true, endpoint: w.Endpoint, add: w.AllowedIPs})
			continue
		}
		if c, needed := d.diffPeer(w, have.peers[i]); needed {
			add = append(add, c)
		}
	}
	for _, h := range have.peers {
		if !wanted[h.key] {
			later = append(later, change{peer: h.key, remove: true})
			continue
		}
		// What another peer is given has moved there by then.
		drop := slices.DeleteFunc(slices.Clone(h.allowed), func(p netip.Prefix) bool { return owner[p] != "" })
		if len(drop) > 0 {
			later = append(later, change{peer: h.key, drop: drop})
		}
	}
	return add, later
}

// diffPeer compares a wanted peer with the one that is there.
func (d differ) diffPeer(w desired.Peer, h peer) (c change, needed bool) {
	c.peer = w.PublicKey
	for _, p := range w.AllowedIPs {
		if !slices.Contains(h.allowed, p) {
			c.add = append(c.add, p)
		}
	}
	if w.Endpoint != h.endpoint {
		set, known := d.set[w.PublicKey]
		if (known && set != w.Endpoint) || d.now.Sub(h.handshake) > stale {
			c.endpoint = w.Endpoint
		}
	}
	keepalive := h.keepalive == desired.Keepalive
	return c, len(c.add) > 0 || c.endpoint.IsValid() || !keepalive
}
