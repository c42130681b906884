// SPDX-License-Identifier: Apache-2.0

// Package dataplane is the agent of a node. It reads its cluster's Dataplane,
// ServiceRoutes and EndpointSlices, and makes the node's kernel match: on a
// gateway the WireGuard tunnels, on every node the routes to other clusters and
// the translation of clusterset IPs.
//
// The loop is load, observe, diff, do, report. Package source loads, package
// desired computes the State, package engine observes, diffs and does, and the
// node's NodeState reports.
//
// What is in the kernel outlives the agent: its end, by whatever signal, changes
// nothing, and a new start finds and keeps everything. Nothing is removed
// because something could not be read, or because the Dataplane is gone: a node
// is emptied by --cleanup alone. A Dataplane that is there and lists less is
// complete, and what it does not list is removed.
//
// Out of scope: probing gateways, several gateways for one prefix, IPv6 inside
// the tunnels.
package dataplane
