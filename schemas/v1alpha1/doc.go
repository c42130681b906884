// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the contract: the kinds that people write in git and the
// kinds that Fairlead writes in member clusters.
//
// People write TrafficPolicy (namespaced: who exports a service, who imports
// it and how requests are shared between clusters) and ClusterSet
// (cluster-scoped: the clusters, how they are reached and which address ranges
// are theirs). Fairlead writes Dataplane (one per cluster: tunnels),
// ServiceRoute (one per policy and cluster: virtual IPs and export addresses),
// NodeState (one per node, written by that node's agent alone) and
// AppliedBundle (one per cluster: what was applied last).
//
// These Go types are the one source of shape. The custom resource definitions,
// the deep copies and the CUE definitions are generated from them by
// "make generate"; rules.cue beside this package adds what shape cannot say.
// A field is here only when every stage that must honour it does.
//
// Out of scope: defaulting and every rule that needs more than one document,
// which is the compiler's.
//
// +kubebuilder:object:generate=true
// +groupName=fairlead.dev
package v1alpha1
