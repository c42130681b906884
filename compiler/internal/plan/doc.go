// SPDX-License-Identifier: Apache-2.0

// Package plan turns a Fleet into one Plan per config store: what must be true
// in that cluster, whoever provides it.
//
// A Plan names every fact that the emitters need, so that they need nothing
// else. What a policy needs of a provider is a Feature; the matrix says, per
// provider, whether it is exact, degraded under a name that the author of the
// policy must accept, or an error on the user's line.
//
// What was not observed is Pending, and the rest is planned without it; what
// only a cluster can tell that cannot be observed now is Held.
//
// Out of scope: the objects of any provider.
package plan
