// SPDX-License-Identifier: Apache-2.0

package plan

// The features of requests from outside.
const (
	GatewayListener Feature = "listener"
	OutsideCallers  Feature = "outsideCallers"
	HeaderAbsent    Feature = "headerAbsent"
	RedirectStatus  Feature = "redirectStatus"
	CookiePath      Feature = "cookiePath"
	OriginPatterns  Feature = "originPatterns"
	UDPBackends     Feature = "udpBackends"
	UDPTreatment    Feature = "udpTreatment"
)

// outside is what gateways make of requests from outside.
func outside() []Row {
	envoy := func(f Feature, code, refusal, fix string, fields ...string) Row {
		return Row{Feature: f, Code: code, Fields: fields, EnvoyGateway: no(refusal, fix)}
	}
	return []Row{
		{Feature: GatewayListener, Code: "FL1483", Fields: []string{"spec.frontends.gateway.listener"},
			Istio: no("routes of Istio hold at every server of a Gateway that has their hostnames", "remove listener, and list the hostnames that only that server has")},
		envoy(OutsideCallers, CodeGatewayAccess, "requests from outside come from no cluster, namespace or service account of the set",
			"say in it only methods, paths and ports, or remove the gateway",
			"spec.access.allow.clusters", "spec.access.allow.namespaces", "spec.access.allow.serviceAccounts", "spec.access.allow.podLabels"),
		envoy(HeaderAbsent, CodeGatewayMatch, "provider envoy-gateway cannot ask for a header to be absent", "match the header in an earlier rule instead",
			"spec.rules.matches.headers.present"),
		envoy(RedirectStatus, CodeGatewayMatch, "provider envoy-gateway redirects with status 301 or 302", "use 301 or 302", "spec.rules.redirect.status"),
		envoy(CookiePath, CodeGatewayMatch, "provider envoy-gateway gives the cookie the path of the match", "remove path", "spec.rules.sessionAffinity.cookie.path"),
		envoy(OriginPatterns, CodeGatewayMatch, "provider envoy-gateway compares origins as they are written", "list the origins, or write exact: \"*\"",
			"spec.rules.cors.allowOrigins.prefix", "spec.rules.cors.allowOrigins.regex"),
		// Envoy Gateway 1.9 watches the endpoints of imports behind HTTPRoutes
		// alone (indexers.go), and its policies say nothing to UDPRoutes.
		envoy(UDPBackends, "FL1485", "provider envoy-gateway does not notice that a backend of UDP is lost", "give UDP one backend at a gateway", "spec.rules.backends"),
		envoy(UDPTreatment, "FL1487", "provider envoy-gateway does nothing of this for UDP", "remove it",
			"spec.resilience.outlierDetection", "spec.resilience.connectionPool", "spec.resilience.circuitBreaker", "spec.loadBalancing.algorithm",
			"spec.loadBalancing.slowStart", "spec.healthCheck", "spec.rules.sessionAffinity"),
	}
}

// Sometimes tells whether some uses of the fields ask for the feature and others
// do not: who refuses it does not refuse the fields.
func (r Row) Sometimes() bool {
	switch r.Feature {
	case ManyTiers, EveryExporter, RepeatedCluster, HomeFallbacks, SharedOther, ClusterLocal, OtherStream, L7OnStream, AccessCombinations, ClearTextAccess, UDP, TLS, ClusterNames,
		ClusterSetNames, ClusterSetTiers, ExporterCalls, HeaderAbsent, RedirectStatus, UDPBackends, UDPTreatment:
		return true
	}
	return false
}
