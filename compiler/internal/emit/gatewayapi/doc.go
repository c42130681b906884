// SPDX-License-Identifier: Apache-2.0

// Package gatewayapi emits what serves requests from outside at Gateways of
// Envoy Gateway: routes of the Gateway API, Envoy Gateway's own policies, and
// the Services, exports and imports that routes refer to.
//
// A part is the service of one (cluster, subset): a ServiceImport is the union
// of its exporters and cannot carry the weight of one. The first tier of a rule
// are imports and the gateway's own Services, all localities of one Envoy
// cluster; the second are Backends with fallback, which are addresses. Envoy
// Gateway judges the first tier as a whole.
//
// Envoy Gateway 1.9 watches the endpoints of imports behind HTTPRoutes alone: for
// gRPC, TLS and TCP the proxies notice themselves that connections to a cluster
// fail, which is why rules with several backends always have outlier detection.
//
// The kinds are written as plain maps: their Go types would bring in a
// controller.
//
// Out of scope: the Gateway itself, which is the user's, and the endpoints of
// imports.
package gatewayapi
