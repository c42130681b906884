// SPDX-License-Identifier: Apache-2.0

// Package link makes the tunnel interface of a gateway: that it exists, has its
// address and MTU, and is up. It also answers questions about interfaces.
//
// An interface is ours when its alias begins with desired.AliasPrefix. Others
// are never changed or removed; one that has the wanted name is an error,
// unless it is a WireGuard or TUN interface without alias, which is what a
// crash between making and marking it leaves.
//
// The kernel makes the interface where it knows WireGuard; otherwise a process
// that is passed in does.
//
// Out of scope: keys and peers (package wireguard), routes.
package link
