// SPDX-License-Identifier: Apache-2.0

// Package envoygateway runs a real Envoy Gateway against a real API server and
// reads back what it makes of the objects that Fairlead emits: the conditions
// that it writes on routes and policies, and the configuration that its proxies
// would be sent.
//
// Words: a Server is the running control plane; a Configuration is what the
// proxies of one Gateway are sent, as plain data; the Feed stands in for the
// reconciler, which keeps the endpoints of imports.
//
// Out of scope: proxies and traffic. There is no Envoy here.
package envoygateway
