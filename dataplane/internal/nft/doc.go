// SPDX-License-Identifier: Apache-2.0

// Package nft makes the nftables table of the agent.
//
// Everything is in one table, which is ours as a whole. Its chains and rules
// are the same on every node and never change while the agent's version does
// not; what a node needs to know is in its sets and maps. So established
// connections, whose translation was decided when they began, are not touched
// by a change, and a node with ten thousand services has no more rules than one
// with none.
//
// Each rule carries a comment that says what it is for and ends in a digest of
// the rule's text, by which a rule of another version is recognised: nft prints
// rules differently from how they were written. A table whose chains, rules, sets
// or maps are others is replaced as a whole in one transaction; connections keep
// their translation.
//
// Each Op is one transaction. What must change together, such as the slots of a
// service, does.
//
// Out of scope: IPv6, other tables, connection tracking entries.
package nft
