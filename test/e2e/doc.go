// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the whole way, from a push to a packet, with the real
// programs in a real world (package world), and then with that world broken:
// a member down, a stranger's object, a lying member, a rewritten history.
//
// Out of scope: faults that must be placed between two particular writes; those
// are tested beside the reconciler and the agent.
package e2e
