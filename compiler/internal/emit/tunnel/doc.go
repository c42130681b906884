// SPDX-License-Identifier: Apache-2.0

// Package tunnel emits the Dataplane of a cluster: its gateways, and those of
// the clusters that it is joined to.
//
// A Dataplane is emitted before any peer is known: from it the agents learn
// that keys are wanted.
//
// Out of scope: which peers are known.
package tunnel
