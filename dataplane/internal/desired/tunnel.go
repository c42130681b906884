// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// NamePrefix begins the name of every tunnel interface.
const NamePrefix = "fl"

// AliasPrefix begins the alias of every tunnel interface. An interface without
// it is somebody else's.
const AliasPrefix = "fairlead: "

// firstPlane is the only plane there is yet: the slot of the remote gateway
// that an interface is for.
const firstPlane = 0

// overhead4 and overhead6 are the bytes that WireGuard adds to a packet on an
// IPv4 and an IPv6 underlay: IP header, UDP header 8, WireGuard 32.
const (
	overhead4 = 20 + 8 + 32
	overhead6 = 40 + 8 + 32
)

// keyLength is the length of a Curve25519 key in bytes.
const keyLength = 32

// minMTU is what every IPv4 host must take (RFC 791, 576 bytes): a smaller
// value is a mistake.
const minMTU = 576

// TunnelName is the interface name of a gateway: distinct for every gateway of
// every cluster, also on one machine, because the control socket of a
// wireguard-go process is a path on disk.
func TunnelName(cluster, gateway string) string {
	sum := sha256.Sum256([]byte(cluster + "\x00" + gateway))
	return fmt.Sprintf("%s%x%d", NamePrefix, sum[:4], firstPlane)
}

// Gateway finds the gateway that runs on a node.
func Gateway(d *v1alpha1.Dataplane, node string) (g v1alpha1.LocalGateway, found bool) {
	i := slices.IndexFunc(d.Spec.Gateways, func(g v1alpha1.LocalGateway) bool { return g.Node == node })
	if i < 0 {
		return v1alpha1.LocalGateway{}, false
	}
	return d.Spec.Gateways[i], true
}

// Endpoints are the addresses of the peers that can be read, for finding the
// way to them.
func Endpoints(d *v1alpha1.Dataplane) []netip.Addr {
	var out []netip.Addr
	for _, p := range d.Spec.Peers {
		if at, err := endpoint(p); err == nil {
			out = append(out, at.Addr())
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// endpoint reads the best endpoint of a peer: one of a network that the
// clusters share, where there is one.
func endpoint(p v1alpha1.Peer) (netip.AddrPort, error) {
	all := slices.Concat(p.PrivateEndpoints, p.Endpoints)
	if len(all) == 0 {
		return netip.AddrPort{}, fmt.Errorf("it has no endpoint")
	}
	at, err := netip.ParseAddrPort(all[0])
	if err != nil || at.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("endpoint %q is not address:port", all[0])
	}
	return at, nil
}

// readPeer reads one peer and checks that it takes nothing of this cluster.
func (m *maker) readPeer(p v1alpha1.Peer) (out peer, err error) {
	raw, err := base64.StdEncoding.DecodeString(p.PublicKey)
	if err != nil || len(raw) != keyLength {
		return out, fmt.Errorf("the public key is not %d bytes in base64", keyLength)
	}
	if out.Endpoint, err = endpoint(p); err != nil {
		return out, err
	}
	tunnel, err := parseAddr(p.TunnelAddress)
	if err != nil {
		return out, fmt.Errorf("tunnelAddress: %w", err)
	}
	for _, c := range p.Prefixes {
		prefix, err := parsePrefix(c)
		if err != nil {
			return out, fmt.Errorf("prefixes: %w", err)
		}
		out.prefixes = append(out.prefixes, prefix)
	}
	if !within(out.prefixes, tunnel) {
		out.prefixes = append(out.prefixes, single(tunnel))
	}
	for _, prefix := range out.prefixes {
		for _, own := range m.own.all() {
			if prefix.Overlaps(own) {
				return out, fmt.Errorf("prefix %s overlaps this cluster's %s", prefix, own)
			}
		}
		if prefix.Contains(out.Endpoint.Addr()) || prefix.Contains(m.in.Address) {
			return out, fmt.Errorf("prefix %s holds an address of the underlay: the tunnel would run through itself", prefix)
		}
	}
	out.PublicKey = p.PublicKey
	return out, nil
}

// makeTunnel makes the tunnel where the node is a gateway.
func (m *maker) makeTunnel(peers []peer) {
	spec := &m.in.Dataplane.Spec
	g, found := Gateway(m.in.Dataplane, m.in.Node)
	if !found {
		return
	}
	address, err := parseAddr(g.TunnelAddress)
	if err == nil && m.own.global.IsValid() && !m.own.global.Contains(address) {
		err = fmt.Errorf("%s is not in the global CIDR %s", address, m.own.global)
	}
	if err != nil {
		m.problem("gateway %s: tunnelAddress: %v", g.Name, err)
		return
	}
	if !validPort(g.Port) {
		m.problem("gateway %s: %d is not a port", g.Name, g.Port)
		return
	}
	t := &Tunnel{
		Name:    TunnelName(spec.Cluster, g.Name),
		Alias:   AliasPrefix + "gateway " + g.Name + " of " + spec.Cluster,
		Address: address,
		Port:    int(g.Port),
	}
	overhead := overhead4
	for _, p := range peers {
		t.Peers = append(t.Peers, p.Peer)
		if p.Endpoint.Addr().Unmap().Is6() {
			overhead = overhead6
		}
	}
	t.MTU = int(spec.MTU)
	if t.MTU == 0 {
		t.MTU = m.in.UnderlayMTU - overhead
	}
	if t.MTU < minMTU {
		m.problem("an MTU of %d bytes is too small: at least %d", t.MTU, minMTU)
		t.MTU = minMTU
	}
	m.out.Tunnel = t
}
