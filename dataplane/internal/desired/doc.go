// SPDX-License-Identifier: Apache-2.0

// Package desired computes, from the objects of the control plane, everything
// that the kernel of one node must hold. It is pure: the same Input gives the
// same State, byte for byte, and nothing outside is read or changed, but for
// Lowest, which is a part of the Input and takes in what it shows.
//
// Words: a State is the whole of what must be there. A Choice sends one range
// of Slots of a service to one target, so that a share is the width of a range.
// The floor is the unreachable route under every remote prefix, which keeps
// packets from leaving in clear text while there is no tunnel. A Problem is a
// part of the input that could not be used; a State with Problems is not
// complete, and nothing may be removed for its sake.
//
// Callers that other clusters would have to see under other addresses are a
// Problem too, and nothing is sent to such a cluster.
//
// Out of scope: IPv6 inside the tunnels (named as a Problem), more than one
// gateway for the same prefixes (the first by name is used), health that is
// not readiness.
package desired
