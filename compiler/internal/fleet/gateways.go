// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// keyBytes is the length of a Curve25519 public key (RFC 7748).
const keyBytes = 32

// claim is everything that is said of one gateway.
type claim struct {
	*Gateway
	cluster *Cluster
	node    inventory.Node
	// key that the node announces, empty where it is none; heldKey and
	// heldAddresses are what peers were told last.
	key, heldKey  string
	heldAddresses []netip.Addr
}

// resolveGateways decides for every gateway which key and addresses peers are
// told. Git goes before the node that git names, the node before the ledger. A
// node that claims what is another cluster's is not believed.
func (b *builder) resolveGateways() {
	for _, s := range b.fleet.Sets {
		var claims []*claim
		for _, c := range s.Clusters {
			for _, g := range c.Gateways {
				if c.Tunnels() {
					claims = append(claims, b.claim(c, g))
				}
			}
		}
		for _, c := range claims {
			b.resolveKey(c, claims)
			b.resolveAddresses(c, claims)
		}
	}
}

func (b *builder) claim(c *Cluster, g *Gateway) *claim {
	out := &claim{Gateway: g, cluster: c, heldKey: b.ledger.Agreed(allot.Name{Pool: inventory.PoolKey + c.Name, Key: g.Name})}
	if i := slices.IndexFunc(c.Facts.Nodes, func(n inventory.Node) bool { return n.Name == g.Node }); i >= 0 {
		out.node = c.Facts.Nodes[i]
	}
	if out.key = out.node.PublicKey; out.key != "" && !validKey(out.key) {
		b.quarantine(out, "public key", "it is not 32 bytes in base64")
		out.key = ""
	}
	if !validKey(out.heldKey) {
		out.heldKey = ""
	}
	for _, text := range strings.Split(b.ledger.Agreed(allot.Name{Pool: inventory.PoolAddress + c.Name, Key: g.Name}), ",") {
		if addr, err := netip.ParseAddr(text); err == nil && usable(addr) {
			out.heldAddresses = append(out.heldAddresses, addr)
		}
	}
	return out
}

// validKey tells whether a text is a public key. All zeros stand for no key.
func validKey(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) == keyBytes && slices.ContainsFunc(raw, func(b byte) bool { return b != 0 })
}

func (b *builder) quarantine(c *claim, fact, format string, args ...any) {
	b.fleet.Quarantined = append(b.fleet.Quarantined, Quarantined{Cluster: c.cluster.Name,
		Fact: fmt.Sprintf("%s of node %s", fact, c.node.Name), Message: fmt.Sprintf(format, args...)})
}

func (c *claim) String() string {
	return fmt.Sprintf("gateway %s of cluster %s", c.Name, c.cluster.Name)
}

// resolveKey decides on the key of one gateway.
func (b *builder) resolveKey(c *claim, all []*claim) {
	why := ""
	switch {
	case c.pin != "" && c.key != "" && c.key != c.pin:
		why = fmt.Sprintf("git pins another key for %s (%s)", c, c.cluster.At(".gateways"))
	case c.pin == "" && c.key != "":
		why = keyOfAnother(c, all)
	}
	if why != "" {
		b.quarantine(c, "public key", "%s", why)
		c.key = ""
	}
	switch {
	case c.pin != "":
		c.Key = c.pin
	case c.key != "" && why == "":
		c.Key = c.key
	default:
		c.Key = c.heldKey
	}
}

// keyOfAnother says whose key a node announces, empty where it is its own.
func keyOfAnother(c *claim, all []*claim) string {
	for _, o := range all {
		switch {
		case o.cluster == c.cluster:
		case o.pin == c.key:
			return fmt.Sprintf("git pins this key for %s (%s)", o, o.cluster.At(".gateways"))
		case c.heldKey == c.key:
			// The ledger knows it as this gateway's: the other one is the thief.
		case o.heldKey == c.key:
			return fmt.Sprintf("it is the key of %s", o)
		case o.pin == "" && o.node.PublicKey == c.key:
			return fmt.Sprintf("%s announces the same key by node %s", o, o.node.Name)
		}
	}
	return ""
}

// resolveAddresses decides on the addresses of one gateway.
func (b *builder) resolveAddresses(c *claim, all []*claim) {
	for _, text := range c.node.Addresses {
		addr, err := netip.ParseAddr(text)
		addr = addr.Unmap()
		why := ""
		switch {
		case err != nil || !usable(addr):
			why = "it is not a unicast address that peers can use"
		case len(c.declared) == 0:
			why = addressOfAnother(c, addr, all)
		}
		if why == "" {
			c.NodeAddresses = append(c.NodeAddresses, addr)
		} else if len(c.declared) == 0 {
			b.quarantine(c, "address "+text, "%s", why)
		}
	}
	if len(c.declared) > 0 {
		c.Addresses = c.declared
		return
	}
	if len(c.NodeAddresses) == 0 {
		c.NodeAddresses = c.heldAddresses
	}
	c.Addresses = c.NodeAddresses
}

// usable tells whether packets can be sent to an address from another cluster.
func usable(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && a.IsGlobalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// addressOfAnother says whose address a node announces, empty where it may be
// its own.
func addressOfAnother(c *claim, addr netip.Addr, all []*claim) string {
	for _, s := range spans(c.cluster.Set) {
		if s.cluster != c.cluster && s.prefix.IsValid() && s.prefix.Contains(addr) {
			return fmt.Sprintf("it is inside %s %s (%s)", s.what, s.prefix, s.at)
		}
	}
	for _, o := range all {
		switch {
		case o.cluster == c.cluster:
		case slices.Contains(o.declared, addr):
			return fmt.Sprintf("git gives it to %s (%s)", o, o.cluster.At(".gateways"))
		case slices.Contains(c.heldAddresses, addr):
			// The ledger knows it as this gateway's.
		case len(o.declared) == 0 && slices.Contains(o.heldAddresses, addr):
			return fmt.Sprintf("it is the address of %s", o)
		case len(o.declared) == 0 && announces(o.node, addr):
			return fmt.Sprintf("%s announces the same address by node %s", o, o.node.Name)
		}
	}
	return ""
}

func announces(n inventory.Node, addr netip.Addr) bool {
	return slices.ContainsFunc(n.Addresses, func(text string) bool {
		a, err := netip.ParseAddr(text)
		return err == nil && a.Unmap() == addr
	})
}
