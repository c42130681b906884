// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import "github.com/fairlead/fairlead/schemas/v1alpha1"

// routeKinds are the kinds of routes by what comes in.
var routeKinds = map[v1alpha1.Protocol]string{
	v1alpha1.ProtocolHTTP: "HTTPRoute", v1alpha1.ProtocolGRPC: "GRPCRoute",
	v1alpha1.ProtocolTLS: "TLSRoute", v1alpha1.ProtocolTCP: "TCPRoute", v1alpha1.ProtocolUDP: "UDPRoute",
}

// kind of the route.
func (e *emission) kind() string { return routeKinds[e.port().Protocol] }

// connections writes the route of what is passed on without a look inside: only
// the last rule has no matches, and connections have nothing that another could
// match.
func (e *emission) connections() {
	rules := e.route.Import.Rules
	last := piece{rules[len(rules)-1], ""}
	spec := e.parent()
	spec["rules"] = []any{content{"backendRefs": e.backends(last.Rule)}}
	if e.port().Protocol == v1alpha1.ProtocolTLS {
		putList(spec, "hostnames", texts(e.route.Hostnames))
	}
	e.add(e.gatewayKind(e.kind(), e.name), spec)
	e.policies(e.name, []piece{last})
}
