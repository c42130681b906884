// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/keys"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

const room = "wireguard"

// Kernel configures devices, of the kernel in the network namespace of the
// thread that made it, or of device processes.
type Kernel struct {
	client *wgctrl.Client
	key    keys.Private
	set    memory
}

// Open opens the kernel with the node's key.
func Open(key keys.Private) (*Kernel, error) {
	c, err := wgctrl.New()
	if err != nil {
		return nil, fmt.Errorf("open WireGuard: %w", err)
	}
	return &Kernel{client: c, key: key, set: memory{}}, nil
}

// Close lets go of the kernel. Devices stay.
func (k *Kernel) Close() { _ = k.client.Close() }

// Plan lists the changes that make the node's device match. The interface must
// exist.
func (k *Kernel) Plan(_ context.Context, s desired.State) (op.Plan, error) {
	if s.Tunnel == nil {
		return op.Plan{}, nil
	}
	name := s.Tunnel.Name
	d, err := k.client.Device(name)
	if err != nil {
		return op.Plan{}, fmt.Errorf("read WireGuard device %s: %w", name, err)
	}
	k.remember(*s.Tunnel, d)
	compare := differ{publicKey: k.key.Public(), set: k.set, now: time.Now()}
	add, later := compare.diff(*s.Tunnel, observe(d))
	return op.Plan{Add: k.ops(name, add), Remove: k.ops(name, later)}, nil
}

// remember notes endpoints that are as wanted, so that a later wish is known to
// be a new one.
func (k *Kernel) remember(want desired.Tunnel, d *wgtypes.Device) {
	for _, w := range want.Peers {
		for _, p := range d.Peers {
			if p.PublicKey.String() == w.PublicKey && endpointOf(p) == w.Endpoint {
				k.set[w.PublicKey] = w.Endpoint
			}
		}
	}
}

func (k *Kernel) ops(name string, changes []change) []op.Op {
	var out []op.Op
	for _, c := range changes {
		out = append(out, op.Op{
			Room: room, Text: name + ": " + c.String(),
			Do: func(context.Context) error { return k.do(name, c) },
		})
	}
	return out
}

// observe reads a device without its secrets.
func observe(d *wgtypes.Device) device {
	out := device{publicKey: d.PublicKey.String(), port: d.ListenPort}
	for _, p := range d.Peers {
		o := peer{
			key: p.PublicKey.String(), endpoint: endpointOf(p),
			keepalive: p.PersistentKeepaliveInterval, handshake: p.LastHandshakeTime,
		}
		for _, n := range p.AllowedIPs {
			ones, _ := n.Mask.Size()
			if a, ok := netip.AddrFromSlice(n.IP); ok {
				o.allowed = append(o.allowed, netip.PrefixFrom(a.Unmap(), ones))
			}
		}
		out.peers = append(out.peers, o)
	}
	return out
}

// endpointOf is where a device sends the peer's packets now.
func endpointOf(p wgtypes.Peer) netip.AddrPort {
	if p.Endpoint == nil {
		return netip.AddrPort{}
	}
	at := p.Endpoint.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// do makes one change.
func (k *Kernel) do(name string, c change) error {
	if c.peer == "" {
		raw := wgtypes.Key(k.key.Reveal())
		return k.configure(name, wgtypes.Config{PrivateKey: &raw, ListenPort: &c.port})
	}
	key, err := wgtypes.ParseKey(c.peer)
	if err != nil {
		return err
	}
	if len(c.drop) > 0 {
		return k.drop(name, c.drop)
	}
	p := wgtypes.PeerConfig{
		PublicKey: key, Remove: c.remove, UpdateOnly: !c.create,
		AllowedIPs: ipNets(c.add),
	}
	if !c.remove {
		keepalive := desired.Keepalive
		p.PersistentKeepaliveInterval = &keepalive
	}
	if c.endpoint.IsValid() {
		p.Endpoint = net.UDPAddrFromAddrPort(c.endpoint)
	}
	if err := k.configure(name, wgtypes.Config{Peers: []wgtypes.PeerConfig{p}}); err != nil {
		return err
	}
	if c.endpoint.IsValid() {
		k.set[c.peer] = c.endpoint
	}
	if c.remove {
		delete(k.set, c.peer)
	}
	return nil
}

// drop moves AllowedIPs to a peer that nobody has the key of, and removes it.
func (k *Kernel) drop(name string, allowed []netip.Prefix) error {
	private, err := wgtypes.GeneratePrivateKey()
	if err != nil {
		return err
	}
	nobody := private.PublicKey()
	return k.configure(name, wgtypes.Config{Peers: []wgtypes.PeerConfig{
		{PublicKey: nobody, AllowedIPs: ipNets(allowed)},
		{PublicKey: nobody, Remove: true},
	}})
}

// configure hands a configuration to the device. Errors of wgctrl do not hold
// it.
func (k *Kernel) configure(name string, c wgtypes.Config) error {
	err := k.client.ConfigureDevice(name, c)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no WireGuard device %s", name)
	}
	return err
}

// ipNets are prefixes as wgctrl takes them.
func ipNets(list []netip.Prefix) []net.IPNet {
	var out []net.IPNet
	for _, p := range list {
		out = append(out, net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	return out
}
