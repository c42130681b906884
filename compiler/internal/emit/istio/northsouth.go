// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// gatewayRoutes emits what the cluster's gateways do with requests from
// outside: what the pods' sidecars do, under other hostnames.
func (e *emitter) gatewayRoutes() {
	for _, r := range e.routes {
		out := &networking.VirtualService{TypeMeta: kind("VirtualService"), ObjectMeta: e.meta(gatewayRouteName(r))}
		out.Spec.Gateways = []string{r.Gateway.Namespace + "/" + r.Gateway.Name}
		for _, h := range r.Hostnames {
			out.Spec.Hosts = append(out.Spec.Hosts, string(h))
		}
		if port, ok := requestPort(r); ok {
			for _, rule := range r.Import.Rules {
				out.Spec.Http = append(out.Spec.Http, httpRoutes(scope{}, rule, e.destinations(port, rule))...)
			}
		} else if rules := r.Import.Rules; len(rules) > 0 && len(r.Ports) > 0 {
			gatewayStream(&out.Spec, r.Ports[0], e.destinations(r.Ports[0], rules[len(rules)-1]))
		}
		if len(out.Spec.Http)+len(out.Spec.Tcp)+len(out.Spec.Tls) > 0 {
			e.add(out)
		}
	}
}

// gatewayStream routes connections at a gateway, where the port is the
// gateway's, and those with TLS of the caller's own by the server name.
func gatewayStream(out *v1alpha3.VirtualService, port plan.Port, to targets) {
	if len(to.all) == 0 {
		return
	}
	route := tcpRoute(port, to)
	route.Match = nil
	if port.Protocol == v1alpha1.ProtocolTLS {
		out.Tls = []*v1alpha3.TLSRoute{{Route: route.Route, Match: []*v1alpha3.TLSMatchAttributes{{SniHosts: out.Hosts}}}}
	} else {
		out.Tcp = []*v1alpha3.TCPRoute{route}
	}
}

// requestPort is the port of the service that requests from outside are for:
// its first with requests.
func requestPort(r plan.Route) (plan.Port, bool) {
	i := slices.IndexFunc(r.Ports, plan.Port.L7)
	if i < 0 {
		return plan.Port{}, false
	}
	return r.Ports[i], true
}

// gatewayRouteName is the first label of the name of a route's object: a policy
// may have several.
func gatewayRouteName(r plan.Route) string {
	return mainName + "--" + digest(fmt.Sprint(r.Gateway, r.Hostnames))
}

// withGateways adds the namespaces in which gateways are that route to a host.
// East-west gateways there pass nobody on to it all the same: their Gateways
// list exported services alone.
func (e *emitter) withGateways(to []string) []string {
	if len(e.routes) == 0 {
		return to
	}
	out := append(slices.Clone(to), e.root)
	for _, r := range e.routes {
		out = append(out, r.Gateway.Namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
