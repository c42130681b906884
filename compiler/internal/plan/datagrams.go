// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// treatments are what is said of single endpoints and of who gets which.
var treatments = []Feature{OutlierDetection, ConnectionPool, CircuitBreaker, Algorithm, SlowStart, HealthCheck, Affinity}

// datagrams adds what a policy needs at a gateway for a port of UDP, and says
// whether the route can be. That a port is one may only be observed, and then what
// the gateway cannot do is pending.
func (g *gatewayPlanner) datagrams(at atGateway, r Route, wanted []need) ([]need, bool) {
	s, routed := at.service, r.Import.Routed
	if !slices.ContainsFunc(r.Ports, func(p Port) bool { return p.Protocol == v1alpha1.ProtocolUDP }) {
		return wanted, routed
	}
	var out []need
	for _, rule := range r.Import.Rules {
		if all := slices.Concat(rule.Tiers...); len(all) > 1 {
			out = append(out, need{feature: UDPBackends, path: all[1].path})
		}
	}
	for _, n := range wanted {
		if slices.Contains(treatments, n.feature) {
			out = append(out, need{feature: UDPTreatment, path: n.path, defaulted: n.defaulted})
		}
	}
	if s.PortsGiven() {
		return append(wanted, out...), routed
	}
	for _, d := range refusals(at.policy, v1alpha1.ProviderEnvoyGateway, out) {
		routed = false
		g.pending(at.cluster, r.Fragment, "port %d is udp in the exporters of Service %s (%s): %s: %s (%s)", r.Ports[0].Number, s.Key(), exporterNames(s), d.Position, d.Message, d.Fix)
	}
	return wanted, routed
}
