// SPDX-License-Identifier: Apache-2.0

// Package mesh runs real control planes of Istio over compiled scenarios, reads
// back what they send to proxies, and joins both ends of every edge between
// clusters: the server name that a sidecar asks for must be one that the other
// cluster's gateway knows, and behind it must stand exactly the pods that the
// policy means.
//
// The words: a Scenario is a repository and an inventory, compiled; a World is
// one API server per cluster filled with what the inventory describes and the
// bundle asks for, and an istiod for every config store; a Config is everything
// that one proxy is sent. A share is computed from a Config as Envoy would,
// because there is no Envoy here.
//
// Out of scope: packets. Nothing listens at the addresses of these pods.
package mesh
