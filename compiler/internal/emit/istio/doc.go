// SPDX-License-Identifier: Apache-2.0

// Package istio emits the objects by which meshes of separate clusters call
// each other through east-west gateways with TLS passthrough.
//
// The words: a home host is the Service's own name, under which istiod merges
// the consumer's own pods with what a ServiceEntry of that name adds; a part
// host stands for the pods of one other cluster. A chain (plan.Chain) becomes
// one subset, named after it, of the host that its head lives under; every
// cluster of the chain has a subset of that name with its own labels, and the
// server name that the caller's TLS asks for (SNI) carries it, so that one
// Envoy cluster can mean different pods behind different gateways.
//
// Tiers are labels: fairlead.dev/t1… on the endpoints of the fallbacks, never on
// the favourites, compared by failoverPriority with a caller that has none.
//
// One istiod for several clusters (shared.go) knows the pods of all of them, so
// that its subsets choose clusters, by the label that it writes itself; what is in a
// cluster of another istiod is behind part hosts there too.
//
// Out of scope: EnvoyFilter, ambient.
package istio
