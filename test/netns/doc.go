// SPDX-License-Identifier: Apache-2.0

// Package netns gives tests network namespaces as values: make one, run code,
// programs and sockets in it, join two with a cable.
//
// Words: an NS is a network namespace; a Cable is a veth pair, and an End is
// one of its two interfaces.
//
// Every NS also has a name below /run/netns, so that `ip netns exec NAME` works
// for a person who looks. Inside package sandbox that directory is private and
// ends with the sandbox, which is why tests should run there; elsewhere a kill
// leaves the name behind.
//
// A Go program has many threads, and a network namespace belongs to a thread.
// Do therefore runs its function on a thread of its own, and programs and
// sockets made inside it stay in the namespace.
//
// Out of scope: routes, rules, nftables (Handle gives the netlink handle for
// the first two), mounts, users.
package netns
