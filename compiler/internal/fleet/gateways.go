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

// maxAddresses of one gateway: every family at several uplinks. All peers try
// each of them and all Dataplanes list them.
const maxAddresses = 8

// Gateway is a node that ends tunnels.
type Gateway struct {
	Name, Node string
	// Port is the tunnel's; up to LastPort the others are the gateway's too.
	Port, LastPort int32
	// Addresses for peers and Key, as git, the node or the ledger tells; empty
	// where nothing is known yet.
	Addresses []netip.Addr
	Key       string
	// NodeAddresses as the node announces them, for its own cluster.
	NodeAddresses []netip.Addr
	// Tunnel is the gateway's address in the tunnels.
	Tunnel netip.Addr

	pin      string
	declared []netip.Addr
	// private are for clusters of the same region.
	private []netip.Addr
	// told is what each cluster was told last, by its name.
	told map[string]Told
}

// claim is everything that is said of one gateway.
type claim struct {
	*Gateway
	cluster *Cluster
	node    inventory.Node
	// announced is the key that the node announces, empty where it is none; key
	// is the same for as long as it is believed. heldKey and heldAddresses are
	// what peers were told last, as far as they agree.
	announced, key, heldKey string
	heldAddresses           []netip.Addr
}

// resolveGateways decides for every gateway which key and addresses peers are
// told. Git goes before the node that git names, the node before the ledger. A
// node that claims what is another cluster's is not believed. Where the ledger
// must do and clusters contradict each other, each keeps what it was told.
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
		b.ranges = spans(s)
		for _, c := range claims {
			b.resolveKey(c, claims)
			b.resolveAddresses(c, claims)
			b.remember(c)
		}
	}
}

func (b *builder) claim(c *Cluster, g *Gateway) *claim {
	out := &claim{Gateway: g, cluster: c, heldKey: b.ledger.Agreed(c.keyName(g))}
	if i := slices.IndexFunc(c.Facts.Nodes, func(n inventory.Node) bool { return n.Name == g.Node }); i >= 0 {
		out.node = c.Facts.Nodes[i]
	}
	if out.announced = out.node.PublicKey; out.announced != "" && !validKey(out.announced) {
		b.quarantine(out, "public key", "it is not 32 bytes in base64")
		out.announced = ""
	}
	if out.key = out.announced; !validKey(out.heldKey) {
		out.heldKey = ""
	}
	if extra := len(out.node.Addresses) - maxAddresses; extra > 0 {
		b.quarantine(out, fmt.Sprintf("%d more addresses", extra), "a gateway has at most %d", maxAddresses)
		out.node.Addresses = out.node.Addresses[:maxAddresses]
	}
	out.heldAddresses = readAddresses(b.ledger.Agreed(c.addressName(g)))
	return out
}

func (c *Cluster) keyName(g *Gateway) allot.Name {
	return allot.Name{Pool: inventory.PoolKey + c.Name, Key: g.Name}
}

func (c *Cluster) addressName(g *Gateway) allot.Name {
	return allot.Name{Pool: inventory.PoolAddress + c.Name, Key: g.Name}
}

// readAddresses reads a value of the ledger; what nobody can use is left out.
func readAddresses(value string) []netip.Addr {
	var out []netip.Addr
	for _, text := range strings.Split(value, ",") {
		if addr, err := netip.ParseAddr(text); err == nil && usable(addr) && len(out) < maxAddresses {
			out = append(out, addr)
		}
	}
	return out
}

// Told is what one cluster was told last of a gateway.
type Told struct {
	Key       string
	Addresses []netip.Addr
}

// KnownTo returns the key and the addresses that a cluster is told of a
// gateway. Where nobody whom all can believe says them, that is what the cluster
// was told before: whoever changed that deceives nobody but itself.
func (g *Gateway) KnownTo(c *Cluster) Told {
	out := Told{g.Key, g.Addresses}
	if out.Key == "" {
		out.Key = g.told[c.Name].Key
	}
	if len(out.Addresses) == 0 {
		out.Addresses = g.told[c.Name].Addresses
	}
	return out
}

// Running are the gateways that agents run: the first alone.
func (c *Cluster) Running() []*Gateway { return c.Gateways[:min(len(c.Gateways), 1)] }

// Private returns the addresses of a gateway of the cluster for another one
// with which it shares a network; none where it shares none. Git says that they
// do by their region and by private addresses on both sides.
func (c *Cluster) Private(g *Gateway, other *Cluster) []netip.Addr {
	near := c.Region != "" && c.Region == other.Region
	if !near || !slices.ContainsFunc(other.Running(), func(o *Gateway) bool { return len(o.private) > 0 }) {
		return nil
	}
	return g.private
}

// remember notes what each cluster was told of a gateway, and shows where that
// is all that is known and differs.
func (b *builder) remember(c *claim) {
	c.told = map[string]Told{}
	for _, viewer := range c.cluster.Set.Clusters {
		var t Told
		if key := b.ledger.Told(c.cluster.keyName(c.Gateway), viewer.Name); validKey(key) {
			t.Key = key
		}
		if len(c.declared) == 0 {
			t.Addresses = readAddresses(b.ledger.Told(c.cluster.addressName(c.Gateway), viewer.Name))
		}
		c.told[viewer.Name] = t
	}
	if len(c.NodeAddresses) == 0 {
		c.NodeAddresses = c.told[c.cluster.Name].Addresses
	}
	if c.pin == "" && c.key == "" {
		b.disputed(c, "public key", c.cluster.keyName(c.Gateway), c.Key)
	}
	if len(c.declared) == 0 && len(c.node.Addresses) == 0 {
		b.disputed(c, "address", c.cluster.addressName(c.Gateway), joinAddresses(c.Addresses))
	}
}

// disputed quarantines what clusters say of a gateway that others contradict.
// With a value that most agree on the others are wrong; without one nobody can
// tell who is.
func (b *builder) disputed(c *claim, what string, name allot.Name, agreed string) {
	claims := slices.DeleteFunc(slices.Clone(b.ledger[name]), func(o allot.Claim) bool {
		return len(o.From) == 1 && o.From[0] == c.cluster.Name
	})
	if len(claims) < 2 {
		return
	}
	silent := "node " + c.Node + " announces none"
	if c.cluster.Facts.State != Observed {
		silent = c.cluster.Name + " cannot be asked"
	}
	for i, o := range claims {
		other := claims[(i+1)%len(claims)]
		if agreed != "" {
			other = claims[0]
		}
		if agreed != "" && o.Value == agreed {
			continue
		}
		for _, cluster := range o.From {
			b.quarantined = append(b.quarantined, Quarantined{Cluster: cluster,
				Fact:    fmt.Sprintf("%s %s of %s", what, shown(o.Value), c),
				Message: fmt.Sprintf("the objects in %s say %s, and %s", strings.Join(other.From, " and "), shown(other.Value), silent)})
		}
	}
}

// validKey tells whether a text is a public key. All zeros stand for no key.
func validKey(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) == keyBytes && slices.ContainsFunc(raw, func(b byte) bool { return b != 0 })
}

func (b *builder) quarantine(c *claim, fact, format string, args ...any) {
	b.quarantined = append(b.quarantined, Quarantined{Cluster: c.cluster.Name,
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
		why = b.keyOfAnother(c, all)
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
func (b *builder) keyOfAnother(c *claim, all []*claim) string {
	is := func(value string) bool { return value == c.key }
	for _, o := range all {
		if o.cluster == c.cluster {
			continue
		}
		if o.pin == c.key {
			return fmt.Sprintf("git pins this key for %s (%s)", o, o.cluster.At(".gateways"))
		}
		mine, theirs := b.voices(c.cluster.keyName(c.Gateway), c, is), b.voices(o.cluster.keyName(o.Gateway), o, is)
		switch {
		case mine > theirs:
			// More clusters know it as this gateway's: the other one is the thief.
		case theirs > mine && (o.announced == "" || o.announced == c.key):
			return fmt.Sprintf("it is the key of %s", o)
		case o.pin == "" && o.announced == c.key:
			return fmt.Sprintf("%s announces the same key by node %s", o, o.node.Name)
		}
	}
	return ""
}

// voices counts the clusters that know a fact as a gateway's. Its own cluster is
// no witness. A rival that says it belongs to the other one speaks against
// itself and is heard.
func (b *builder) voices(name allot.Name, of *claim, is func(string) bool) int {
	witnesses := map[string]bool{}
	for _, claim := range b.ledger[name] {
		if !is(claim.Value) {
			continue
		}
		if len(claim.From) == 0 {
			return claim.Voices()
		}
		for _, witness := range claim.From {
			witnesses[witness] = true
		}
	}
	delete(witnesses, of.cluster.Name)
	return len(witnesses)
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
			why = b.addressOfAnother(c, addr, all)
		}
		if slices.Contains(c.NodeAddresses, addr) {
			continue
		}
		if why == "" {
			c.NodeAddresses = append(c.NodeAddresses, addr)
		} else if len(c.declared) == 0 {
			b.quarantine(c, "address "+shown(text), "%s", why)
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
func (b *builder) addressOfAnother(c *claim, addr netip.Addr, all []*claim) string {
	for _, s := range b.ranges {
		if s.cluster != c.cluster && s.prefix.IsValid() && s.prefix.Contains(addr) {
			return fmt.Sprintf("it is inside %s %s (%s)", s.what, s.prefix, s.at)
		}
	}
	is := func(value string) bool { return slices.Contains(readAddresses(value), addr) }
	for _, o := range all {
		if o.cluster == c.cluster {
			continue
		}
		if slices.Contains(o.declared, addr) {
			return fmt.Sprintf("git gives it to %s (%s)", o, o.cluster.At(".gateways"))
		}
		mine, theirs := b.voices(c.cluster.addressName(c.Gateway), c, is), b.voices(o.cluster.addressName(o.Gateway), o, is)
		same := announces(o.node, addr)
		switch {
		case len(o.declared) > 0 || mine > theirs:
			// More clusters know it as this gateway's.
		case theirs > mine && (same || len(o.node.Addresses) == 0):
			return fmt.Sprintf("it is the address of %s", o)
		case same:
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
