// SPDX-License-Identifier: Apache-2.0

// Package wireguard configures tunnel interfaces, and is WireGuard itself where
// the kernel has none.
//
// Words: a device is a tunnel interface with its key and peers. The device
// process is this program, started again in a session of its own, running
// wireguard-go for one interface; it outlives the agent, so that no packet is
// lost when the agent ends, and it ends when its interface is removed.
//
// Peers are changed one by one and never replaced as a whole. AllowedIPs are
// added before others are removed; adding a prefix that another peer has moves
// it in one step. A single AllowedIP cannot be removed by the interface that
// wgctrl has, and replacing the list would drop packets meanwhile, so it is
// moved to a peer made for that, which is then removed.
//
// An endpoint is set when the peer is made, when the wanted one changes, and
// when there has been no handshake for a while. Otherwise what WireGuard itself
// learnt from the peer's packets stands: a peer may be behind a NAT.
//
// Out of scope: making keys (package keys), addresses, routes.
package wireguard
