// SPDX-License-Identifier: Apache-2.0

// Package underlay is the network between a lab's nodes: one Ethernet segment
// (a bridge in a namespace of its own) whose links can be cut, lossy and slow.
//
// Words: a node is a network namespace attached to the segment; a link is the
// pair of two nodes, both directions; a link's Condition is what it does to
// frames. A loss or a cut is an nftables rule in the bridge. A delay cannot be
// (the kernels this runs on have no netem), so a slow link's frames are dropped
// in the bridge and carried by a relay in this process, which reads them from
// one port and writes them to the other after the time.
//
// Address resolution of a slow link is not slowed: ARP and IPv6 neighbour
// discovery stay in the bridge.
//
// Out of scope: bandwidth, reordering, more than one segment.
package underlay
