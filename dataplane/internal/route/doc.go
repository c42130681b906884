// SPDX-License-Identifier: Apache-2.0

// Package route makes the routes and the routing rule of the agent.
//
// A route is ours when it has our Protocol and lies in our Table; a rule is
// ours when it has our Protocol and a priority of our range. Others are never
// changed or removed, whatever table or priority they have.
//
// The floor, an unreachable route of a high metric under every prefix, is added
// before the route above it and removed after it, so that no packet leaves in
// clear text in between.
//
// Out of scope: the main table, IPv6.
package route
