// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"net/netip"
	"time"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Slots is how many equal parts the new connections to a service are cut into:
// a share is a whole number of them, a hundredth of a percent each.
const Slots = 10000

// Keepalive is how often an idle tunnel sends a packet, so that both ends have
// a session before the first connection and NAT devices between them keep
// their mapping. 25 s is WireGuard's own advice.
const Keepalive = 25 * time.Second

// State is what the kernel of one node must hold. Every list is sorted. The
// zero value asks for nothing.
type State struct {
	// Tunnel of the node; nil where the node is not a gateway.
	Tunnel *Tunnel
	// Routes to other clusters and to the clusterset IPs. Floors come first.
	Routes []Route
	// Filter says which addresses the packet filter and the NAT rules know.
	Filter Filter
	// Services are the choices for clusterset IPs.
	Services []Choice
	// Exports are the choices for export addresses; only at a gateway.
	Exports []Choice
	// Problems are the parts of the input that were left out, one sentence
	// each. See Complete.
	Problems []string
}

// Complete says that nothing of the input was left out. Only then may what the
// State does not mention be removed.
func (s State) Complete() bool { return len(s.Problems) == 0 }

// Tunnel is one WireGuard interface.
type Tunnel struct {
	// Name of the interface, at most 15 characters.
	Name string
	// Alias is the mark of ownership; it begins with AliasPrefix.
	Alias string
	// Address of the interface, as a single address.
	Address netip.Addr
	// Port on which it listens (UDP).
	Port int
	// MTU in bytes.
	MTU int
	// Peers sorted by public key.
	Peers []Peer
}

// Peer is the far end of a tunnel.
type Peer struct {
	// PublicKey in base64.
	PublicKey string
	Endpoint  netip.AddrPort
	// AllowedIPs are the sources taken from the peer and the destinations sent
	// to it.
	AllowedIPs []netip.Prefix
}

// Route is one IPv4 route in the agent's own table.
type Route struct {
	Prefix netip.Prefix
	// Unreachable makes the floor: packets are refused. Nothing else is set.
	Unreachable bool
	// Device to send to; empty where Via says it.
	Device string
	// Via is the next hop; the zero Addr for none.
	Via netip.Addr
	// Source is the address that local programs get; zero for the kernel's choice.
	Source netip.Addr
}

// Filter is the content of the address sets of the packet filter.
type Filter struct {
	// Tunnels are names of tunnel interfaces and the address that packets of
	// other sources get when they leave by one.
	Tunnels []TunnelAddress
	// Remote are the prefixes behind tunnels.
	Remote []netip.Prefix
	// Identity are the prefixes whose addresses are kept as they are towards
	// and from tunnels.
	Identity []netip.Prefix
	// Admitted are the destinations that packets from tunnels may have.
	Admitted []netip.Prefix
	// Exported is the range of the export addresses: what comes from a tunnel
	// and is still addressed to it after translation is refused.
	Exported []netip.Prefix
	// Refused are ranges of addresses that exist only as translations: what is
	// still addressed to them after translation is refused.
	Refused []netip.Prefix
	// Hairpin are the local endpoints, each of which may call itself through a
	// clusterset IP.
	Hairpin []netip.Addr
}

// TunnelAddress is the own address of a tunnel interface.
type TunnelAddress struct {
	Device  string
	Address netip.Addr
}

// Service is what a connection is made to.
type Service struct {
	Address   netip.Addr
	Transport v1alpha1.Transport
	Port      uint16
}

// Choice sends the slots First to Last, both included, of a service to Target.
type Choice struct {
	Service
	First, Last int
	Target      netip.AddrPort
}
