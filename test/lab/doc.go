// SPDX-License-Identifier: Apache-2.0

// Package lab is N Kubernetes clusters on one machine: real control planes,
// nodes as network namespaces on one underlay, kube-proxy in each, and pods
// that are processes in namespaces of their own.
//
//	sandbox namespace        etcd, kube-apiserver, kube-controller-manager of each cluster, on 127.0.0.1
//	underlay                 a bridge; links between nodes can be cut, lossy and slow
//	CLUSTER:NODE             192.0.2.x on eth0, kube-proxy, masquerade, a relay to the API server
//	CLUSTER:NAMESPACE:POD    the pod's address on eth0, the node as default route
//
// These are also the names below /run/netns. Within a cluster, nodes have routes
// to each other's pods. Between clusters there is no route at all: carrying
// packets there is what is under test. What a pod sends to anything but its own
// cluster's pods leaves with the node's address, as most CNIs do.
//
// Every cluster's API server has the same address everywhere: 127.0.0.1 and its
// port, in the sandbox, in the cluster's nodes, and (with an outside listener)
// on the machine, so one kubeconfig serves all three. In pods it is the Service
// kubernetes.
//
// A lab runs inside package sandbox and one at a time there; labs in several
// sandboxes run at once. A program that starts labs calls Boot first thing in
// main, a test package calls Main in TestMain.
//
// Out of scope: cluster DNS, IPv6, images, volumes, admission webhooks that
// must reach pods.
package lab
