// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs the real control plane of one cluster: etcd,
// kube-apiserver and kube-controller-manager, as processes on this network
// namespace's loopback interface.
//
// Differences from a production cluster, all for speed: etcd does not sync to
// disk, the API server has no priority and fairness, and the controller manager
// runs the controllers that lab clusters need, without leader election. There
// is no scheduler and no node lifecycle controller: package kubelet binds pods,
// and a node that says nothing for a while keeps its pods.
//
// The API server authenticates client certificates (and service account
// tokens), authorises by RBAC, and logs every write to an audit log.
//
// Out of scope: nodes, pods, and anything reachable from other namespaces.
package controlplane
