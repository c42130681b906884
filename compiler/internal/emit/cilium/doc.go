// SPDX-License-Identifier: Apache-2.0

// Package cilium translates the plan of one cluster for Cilium's Cluster Mesh:
// annotations on the user's Service (service.cilium.io/global, shared and
// affinity), a stub Service where a cluster of callers lacks one, and a
// CiliumNetworkPolicy for who may call.
//
// A CiliumNetworkPolicy that allows callers flips the pods it selects to default
// deny on every port, and allowing all other ports again would open what somebody
// else's policy keeps shut. So the policy denies instead: on the governed ports,
// everybody who is not let in, with default deny off (Cilium 1.16 and later). On
// every other port the pods stay as they are. A selector without a cluster means
// the cluster's own in Cilium, so every selector names clusters. The host, which
// is where kubelet's probes come from, is never denied.
//
// Objects are written as plain maps: Cilium's Go types drag in a client.
//
// Out of scope: what a policy means, which package plan decides, and the mesh of
// clusters itself, which Cilium's owner joins.
package cilium
