// SPDX-License-Identifier: Apache-2.0

// Package apitest gives the reconciler's tests real API servers: an etcd and a
// kube-apiserver per cluster, with every custom resource that Fairlead writes.
// They are started once per test binary, inside the sandbox of package
// test/sandbox, and end with it. Tests keep out of each other's way by clusters
// and namespaces of their own.
//
// Out of scope: nodes, pods and controllers, which package test/lab has.
package apitest
