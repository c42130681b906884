// SPDX-License-Identifier: Apache-2.0

// Package mesh runs real control planes of Istio over compiled scenarios, reads
// back what they send to proxies, and joins both ends of every edge between
// clusters: the server name that a sidecar asks for must be one that the other
// cluster's gateway knows, and behind it must stand exactly the pods that the
// policy means. What that gives is compared with the simulator.
//
// The words: a Scenario is a repository and an inventory, compiled; a World is
// one API server per cluster filled with what the inventory describes and the
// bundle asks for, and an istiod for every config store; a Config is everything
// that one proxy is sent. A share is computed from a Config as Envoy would,
// because there is no Envoy here. A call is written in a story's file calls (for
// an example: in testdata, named like it); probes follow from the policies.
//
// Out of scope: packets, but for the calls of one gRPC client that needs no
// proxy. Nothing else listens at the addresses of these pods.
package mesh
