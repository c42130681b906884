// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"sync"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Feature is something that a policy asks of a provider of routing.
type Feature string

// The features.
const (
	Weights          Feature = "weights"
	Tiers            Feature = "tiers"
	Matches          Feature = "matches"
	Timeout          Feature = "timeout"
	Retries          Feature = "retries"
	Subset           Feature = "subset"
	OutlierDetection Feature = "outlierDetection"
	UDP              Feature = "udp"
	TLS              Feature = "tls"
	L7OnStream       Feature = "l7OnStream"
	RemoteHealth     Feature = "remoteHealth"
	MinHealthy       Feature = "minHealthy"
	SharedTier       Feature = "sharedTier"
	RepeatedCluster  Feature = "repeatedCluster"
	HomeFallbacks    Feature = "homeFallbacks"
	ManyTiers        Feature = "manyTiers"
	MatchAuthority   Feature = "matchAuthority"
	MatchSource      Feature = "matchSource"
	Redirects        Feature = "redirect"
	RedirectPrefix   Feature = "redirectPrefix"
	DirectResponses  Feature = "directResponse"
	Rewrites         Feature = "rewrite"
	HeaderChanges    Feature = "headerChanges"
	Mirrors          Feature = "mirror"
	Faults           Feature = "faults"
	CORS             Feature = "cors"
	RateLimit        Feature = "rateLimit"
	Affinity         Feature = "sessionAffinity"
	SharedAffinity   Feature = "affinityAcrossBackends"
	OtherService     Feature = "otherService"
	BackendPort      Feature = "backendPort"
	FailbackDelay    Feature = "failbackDelay"
	ConnectionPool   Feature = "connectionPool"
	CircuitBreaker   Feature = "circuitBreaker"
	Algorithm        Feature = "algorithm"
	SlowStart        Feature = "slowStart"
	HealthCheck      Feature = "healthCheck"
	MutualTLS        Feature = "mutualTLS"
	ClearText        Feature = "clearText"
	AccessCallers    Feature = "access"
	AccessRequests   Feature = "accessRequests"
	AccessLabels     Feature = "accessLabels"
	ClusterIdentity  Feature = "clusterIdentity"
	ClusterNames     Feature = "clusterNames"
	DefaultDeny      Feature = "defaultDeny"

	ExporterCalls      Feature = "exporterCalls"
	ClusterSetNames    Feature = "clusterSetNames"
	ClusterSetTiers    Feature = "clusterSetTiers"
	AccessCombinations Feature = "accessCombinations"
	PartHealth         Feature = "partHealth"
	EveryExporter      Feature = "everyExporter"
	SubsetSiblings     Feature = "subsetSiblings"
	UnlikeChain        Feature = "unlikeChain"
	Headless           Feature = "headless"
	DeclaredPorts      Feature = "declaredPorts"
	SharedFallback     Feature = "sharedFallback"
	UnlikeServices     Feature = "unlikeServices"
	SharedOther        Feature = "sharedOther"
	ClusterLocal       Feature = "clusterLocal"
	OtherStream        Feature = "otherStream"
	ClearTextAccess    Feature = "clearTextAccess"
)

// Support is what one provider makes of a feature: exact when its zero value,
// degraded when Degradation is set, an error when Refusal is.
type Support struct {
	// Degradation names what must be accepted.
	Degradation string
	// Refusal says why the provider cannot, and Fix what to write instead.
	Refusal, Fix string
	// Since is the first version of the provider that can, such as "1.31"; empty
	// where every version can that Fairlead runs with. With an older one the
	// fragment is emitted all the same, and pending says what Before says.
	Since, Before string
	// Partly says what the provider does of something that only the clusters
	// tell; what it does not do is pending. Empty: all of it.
	Partly string
}

// Row is one feature of the matrix.
type Row struct {
	Feature Feature
	// Code of the error where it is not exact.
	Code string
	// Fields of a TrafficPolicy that ask for it, as paths without indices.
	Fields                                []string
	Istio, Cilium, Fairlead, EnvoyGateway Support
}

// Of returns what a provider makes of the feature.
func (r Row) Of(p v1alpha1.Provider) Support {
	switch p {
	case v1alpha1.ProviderIstio:
		return r.Istio
	case v1alpha1.ProviderCilium:
		return r.Cilium
	case v1alpha1.ProviderEnvoyGateway:
		return r.EnvoyGateway
	}
	return r.Fairlead
}

// Providers returns the columns of the matrix.
func Providers() []v1alpha1.Provider {
	return []v1alpha1.Provider{v1alpha1.ProviderIstio, v1alpha1.ProviderCilium, v1alpha1.ProviderFairlead, v1alpha1.ProviderEnvoyGateway}
}

// no is a feature that a provider does not have.
func no(refusal, fix string) Support { return Support{Refusal: refusal, Fix: fix} }

// less is a feature of which a provider does a part.
func less(degradation string) Support { return Support{Degradation: degradation} }

// Why providers without proxies refuse what only requests have.
const (
	l4     = "provider fairlead carries connections, not requests"
	socket = "provider cilium balances connections, not requests"
)

// Matrix returns what each provider makes of each feature.
// The rows are always the same and must not be changed.
func Matrix() []Row { return matrix() }

var matrix = sync.OnceValue(func() []Row {
	return slices.Concat(sharing(), requests(), endpoints(), security(), forms(), outside())
})

// onlyRequests are rows that providers without proxies refuse.
func onlyRequests(f Feature, code, field string, fields ...string) Row {
	fix := "remove " + field + ", or use eastWest: istio"
	return Row{Feature: f, Code: code, Fields: fields, Fairlead: no(l4, fix), Cilium: no(socket, fix)}
}

// sharing is who gets which part.
func sharing() []Row {
	return []Row{
		{Feature: Weights, Code: "FL1400", Fields: []string{"spec.rules.backends.weight"}, Cilium: less(WeightsIgnored)},
		{Feature: Tiers, Code: "FL1401", Fields: []string{"spec.rules.backends.priority"}, Cilium: less(AffinityAtZero), EnvoyGateway: less(PooledFailover)},
		{Feature: ManyTiers, Code: "FL1450", Fields: []string{"spec.rules.backends.priority"}, EnvoyGateway: less(TwoTiers),
			Cilium: no("provider cilium prefers the own cluster, the others, or neither", "use priority 0 for the own cluster and 1 for all others, or the reverse")},
		{Feature: RemoteHealth, Code: "FL1410", Fields: []string{"spec.rules.backends"}, Istio: less(GatewayHealth), EnvoyGateway: less(GatewayHealth)},
		{Feature: PartHealth, Code: "FL1479", Fields: []string{"spec.rules.backends"}, Istio: Support{Since: "1.31",
			Before: "leaves out endpoints that are not ready: a backend that is partly healthy gives up nothing"}},
		{Feature: EveryExporter, Code: "FL1480", Fields: []string{"spec.rules.backends"},
			Cilium: no("provider cilium shares a Service among every cluster that exports it", "name every exporter, or narrow exports.from")},
		{Feature: MinHealthy, Code: "FL1411", Fields: []string{"spec.failover.minHealthy"}, Istio: less(MinHealthyFixed), EnvoyGateway: less(MinHealthyFixed),
			Cilium: less(AffinityAtZero)},
		{Feature: SharedTier, Code: "FL1412", Fields: []string{"spec.rules.backends.priority"}, Istio: less(PooledFailover), EnvoyGateway: less(PooledFailover)},
		{Feature: RepeatedCluster, Code: "FL1413", Fields: []string{"spec.rules.backends.cluster"},
			Istio: no("a failover chain of Istio can name a cluster only once", "name another cluster in the lower priority")},
		{Feature: HomeFallbacks, Code: "FL1414", Fields: []string{"spec.rules.backends"},
			Istio: no("Istio knows one set of fallbacks for the same pods of the consumer's own cluster", "give both rules the same backends below these pods, or one of them none, or choose other subsets")},
		{Feature: SubsetSiblings, Code: "FL1482", Fields: []string{"spec.rules.backends.subset"}, Istio: less(FixedParts)},
		{Feature: UnlikeChain, Code: "FL1497", Fields: []string{"spec.rules.backends.subset"}, Istio: less(HeadOnly)},
		{Feature: SharedFallback, Code: "FL1498", Fields: []string{"spec.rules.backends.weight"}, Istio: less(FallbackByPods)},
		{Feature: UnlikeServices, Code: "FL1499", Fields: []string{"spec.rules.backends.service", "spec.rules.backends.port"}, Istio: less(OtherAlone)},
		{Feature: SharedOther, Code: "FL1495", Fields: []string{"spec.rules.backends.service"},
			Istio: no("one istiod for several clusters routes to the policy's own service in this version", "write a policy for that service, and call it by its name")},
		{Feature: ClusterLocal, Code: "FL1488", Fields: []string{"spec.rules.backends"},
			Istio: no("one istiod for several clusters keeps the Services of kube-system, and kubernetes in default, to each cluster (serviceSettings of its mesh config)", "take the other clusters out, or move the service to a namespace of its own")},
		{Feature: OtherStream, Code: "FL1496", Fields: []string{"spec.rules.backends.service"},
			Istio: no("connections to another service in another cluster are not routed by Istio in this version", "write a policy for that service, and call it by its name")},
		{Feature: FailbackDelay, Code: "FL1451", Fields: []string{"spec.failover.failbackDelay"}, Istio: less(FailbackAtOnce), Cilium: less(FailbackAtOnce),
			EnvoyGateway: less(FailbackAtOnce)},
		{Feature: Subset, Code: "FL1405", Fields: []string{"spec.rules.backends.subset"},
			Fairlead: no("provider fairlead cannot choose pods by label in this version", "remove subset, or use eastWest: istio"),
			Cilium:   no("provider cilium shares whole Services", "make a Service of its own for these pods")},
		{Feature: OtherService, Code: "FL1452", Fields: []string{"spec.rules.backends.service", "spec.rules.backends.namespace"},
			Fairlead: no("provider fairlead routes to the policy's own service in this version", "write a policy for that service, or use eastWest: istio"),
			Cilium:   no("provider cilium routes to the policy's own service", "write a policy for that service")},
		{Feature: BackendPort, Code: "FL1453", Fields: []string{"spec.rules.backends.port"},
			Fairlead: no("provider fairlead keeps the port that was called in this version", "remove port, or use eastWest: istio"),
			Cilium:   no("provider cilium keeps the port that was called", "remove port")},
	}
}

// requests is what becomes of single requests.
func requests() []Row {
	// Providers without requests refuse the matches, redirects and affinities
	// themselves; what follows is about those that have them.
	authority := Row{Feature: MatchAuthority, Code: "FL1454", Fields: []string{"spec.rules.matches.authority"},
		EnvoyGateway: no("at a gateway the hostnames of the frontend choose", "list them in hostnames")}
	source := Row{Feature: MatchSource, Code: "FL1455", Fields: []string{"spec.rules.matches.source"},
		EnvoyGateway: no("requests from outside have no namespace and no pod", "remove source")}
	prefix := Row{Feature: RedirectPrefix, Code: "FL1457", Fields: []string{"spec.rules.redirect.path.prefix"},
		Istio: no("Istio redirects to whole paths", "use path.full, or leave path out")}
	shared := Row{Feature: SharedAffinity, Code: "FL1465", Fields: []string{"spec.rules.sessionAffinity"},
		Istio: less(AffinityAcross)}
	limit := onlyRequests(RateLimit, "FL1463", "rateLimit", "spec.rules.rateLimit")
	limit.Istio = no("Istio limits rates by EnvoyFilter alone, which Fairlead never writes", "remove rateLimit, or limit at a gateway with northSouth: envoy-gateway")
	return []Row{
		onlyRequests(Matches, "FL1402", "matches", "spec.rules.matches"),
		onlyRequests(Timeout, "FL1403", "timeout", "spec.rules.timeout"),
		onlyRequests(Retries, "FL1404", "retries", "spec.rules.retries"),
		authority, source,
		onlyRequests(Redirects, "FL1456", "redirect", "spec.rules.redirect"), prefix,
		onlyRequests(DirectResponses, "FL1458", "directResponse", "spec.rules.directResponse"),
		onlyRequests(Rewrites, "FL1459", "rewrite", "spec.rules.rewrite"),
		onlyRequests(HeaderChanges, "FL1460", "the header changes", "spec.rules.requestHeaders", "spec.rules.responseHeaders"),
		onlyRequests(Mirrors, "FL1461", "mirror", "spec.rules.mirror"),
		onlyRequests(Faults, "FL1462", "faults", "spec.rules.faults"),
		limit,
		onlyRequests(CORS, "FL1464", "cors", "spec.rules.cors"),
		onlyRequests(Affinity, "FL1466", "sessionAffinity", "spec.rules.sessionAffinity"), shared,
		{Feature: L7OnStream, Code: "FL1409", Fields: []string{"spec.rules"},
			Istio:        no("what is said of requests needs a port with protocol http or grpc", "write protocol: http, or remove it"),
			EnvoyGateway: no("what is said of requests needs a port with protocol http or grpc", "write protocol: http, or remove it")},
	}
}

// endpoints is how single endpoints are treated.
func endpoints() []Row {
	check := onlyRequests(HealthCheck, "FL1470", "healthCheck", "spec.healthCheck")
	check.Istio = no("Istio asks no endpoints: their readiness counts", "remove healthCheck, and give the pods a readiness probe")
	return []Row{
		onlyRequests(OutlierDetection, "FL1406", "outlierDetection", "spec.resilience.outlierDetection"),
		onlyRequests(ConnectionPool, "FL1467", "connectionPool", "spec.resilience.connectionPool"),
		onlyRequests(CircuitBreaker, "FL1468", "circuitBreaker", "spec.resilience.circuitBreaker"),
		onlyRequests(Algorithm, "FL1469", "algorithm", "spec.loadBalancing.algorithm"),
		onlyRequests(SlowStart, "FL1471", "slowStart", "spec.loadBalancing.slowStart"),
		check,
	}
}

// security is who may call, and how connections are secured.
func security() []Row {
	mesh := func(f Feature, code, what string, fields ...string) Row {
		fix := "remove " + what + ", or use eastWest: istio"
		return Row{Feature: f, Code: code, Fields: fields, Fairlead: no("there are no proxies that could do it", fix), Cilium: no("there are no proxies that could do it", fix),
			EnvoyGateway: no("the gateway is not where this holds", "remove "+what)}
	}
	return []Row{
		mesh(MutualTLS, "FL1472", "tls.mode", "spec.tls.mode"),
		mesh(ClearText, "FL1473", "tls.mode", "spec.tls.mode"),
		{Feature: ClearTextAccess, Code: "FL1494", Fields: []string{"spec.access", "spec.tls.mode"},
			Istio: no("in clear text callers show no identity, so that none would be let in", "remove tls.mode: disable, or remove access")},
		{Feature: AccessCallers, Code: "FL1474", Fields: []string{"spec.access"},
			Cilium:   Support{Since: "1.16", Before: "would refuse every caller on every port, as it knows no policy without default deny"},
			Fairlead: no("provider fairlead cannot tell callers apart in this version", "remove access, or use eastWest: istio or cilium")},
		{Feature: AccessRequests, Code: "FL1475", Fields: []string{"spec.access.allow.methods", "spec.access.allow.paths"},
			Cilium:   no("Cilium refuses single requests only of pods that are in default deny on every port", "remove methods and paths, or use eastWest: istio"),
			Fairlead: no(l4, "remove methods and paths")},
		{Feature: AccessLabels, Code: "FL1476", Fields: []string{"spec.access.allow.podLabels"},
			Istio:    no("identities of Istio have no labels", "name service accounts instead"),
			Fairlead: no("provider fairlead cannot tell callers apart in this version", "remove access, or use eastWest: istio or cilium")},
		{Feature: ClusterIdentity, Code: "FL1477", Fields: []string{"spec.access.allow.clusters"}, Istio: less(ClusterIdentityLost)},
		{Feature: AccessCombinations, Code: "FL1493", Fields: []string{"spec.access.allow"},
			Cilium: no("provider cilium would have to tell too many sets of pods apart that may not call", "write fewer entries, with fewer fields each")},
		{Feature: DefaultDeny, Code: "FL1481", Fields: []string{"spec.access"},
			Fairlead: no("provider fairlead cannot tell callers apart in this version", "remove access.default from the ClusterSet, or use eastWest: istio or cilium")},
	}
}

// forms are kinds of services and of names.
func forms() []Row {
	return []Row{
		{Feature: UDP, Code: "FL1407", Fields: []string{"spec.service.ports.protocol"},
			Istio: no("a sidecar never carries UDP", "use eastWest: fairlead, or govern other ports")},
		{Feature: TLS, Code: "FL1408", Fields: []string{"spec.service.ports.protocol"},
			Istio: less(ServerNameOnly)},
		{Feature: DeclaredPorts, Code: "FL1486", Fields: []string{"spec.service.ports.protocol"},
			Istio: Support{Partly: "a sidecar takes a port of its own cluster's Service for what that declares by appProtocol or the beginning of the port's name; where that is of another kind, " +
				"no rule applies under the names that end in cluster.local, which is pending. Where it declares nothing, a port of connections has its requests shared one by one"},
			EnvoyGateway: Support{Partly: "the pods of all backends of a rule are spoken to in one version of HTTP: with gRPC, or where appProtocol of a Service in the first tier says so, in HTTP/2, " +
				"otherwise and with WebSockets in HTTP/1.1; what the Services of other backends say besides is pending"}},
		{Feature: Headless, Code: "FL1484", Fields: []string{"spec.service"},
			Istio: Support{Partly: "requests are sent to other clusters, or to the pods of the caller's own that the caller chose; a rule that shares between both is pending, " +
				"and so is the name under the set's domain, under which nothing answers"},
			Cilium: Support{Partly: "where clustermesh.enableEndpointSliceSynchronization is on, callers choose among the pods of all clusters; lower tiers are pending",
				Since: "1.16", Before: "copies no addresses of pods to other clusters"},
			Fairlead: Support{Partly: "the service is imported without an address of its own, as KEP-1645 demands; nothing copies the addresses of its pods, so that its name answers " +
				"nothing, which is pending"}},
		{Feature: ClusterNames, Code: "FL1478", Fields: []string{"spec.service.names"},
			Fairlead: no("with provider fairlead the name under cluster.local stays the local Service, as KEP-1645 demands", "write names: [clusterset], or leave names out")},
		{Feature: ClusterSetNames, Code: "FL1490", Fields: []string{"spec.service.names"},
			Cilium: no("with provider cilium the names under the set's domain are served by Cilium's own implementation of the MCS API", "write discovery: existing where Cilium's is on, or leave names out")},
		{Feature: ClusterSetTiers, Code: "FL1491", Fields: []string{"spec.service.names"},
			Cilium: no("Cilium's implementation of the MCS API prefers no cluster under the names of the set's domain", "write service.names: [cluster]")},
		{Feature: ExporterCalls, Code: "FL1492", Fields: []string{"spec.imports"},
			Cilium: no("with provider cilium the callers of a cluster that shares a Service get the pods of all clusters", "add the exporters to imports.to, or narrow exports.from")},
	}
}

// The codes about acceptDegradations themselves, and of the warning about a
// Gateway that lets everything through.
const (
	CodeUnknownDegradation = "FL1420"
	CodeOpenGateway        = "FL1421"
)

// The degradations.
const (
	GatewayHealth       = "gatewayHealth"
	MinHealthyFixed     = "minHealthy"
	PooledFailover      = "pooledFailover"
	TwoTiers            = "twoTiers"
	FailbackAtOnce      = "failbackDelay"
	AffinityAcross      = "affinityAcrossBackends"
	WeightsIgnored      = "weights"
	AffinityAtZero      = "affinityAtZero"
	ClusterIdentityLost = "clusterIdentity"
	FixedParts          = "subsetSiblings"
	HeadOnly            = "headOnly"
	ServerNameOnly      = "serverName"
	FallbackByPods      = "fallbackByPods"
	OtherAlone          = "otherAlone"
)

// Degradation is a named function from what a policy means to what a provider
// does.
type Degradation struct {
	Name string
	// Text says exactly what differs.
	Text string
}

// Degradations returns all that can be accepted, by name.
func Degradations() []Degradation {
	return []Degradation{
		{GatewayHealth, "The pods of another cluster stand behind one gateway: the cluster's health is 1 while its gateway takes connections and 0 otherwise, " +
			"and its single pods are not seen by outlier detection. What is left after the last tier goes to the other backends of the first tier by weight, " +
			"the heaviest subset of each cluster standing for that cluster."},
		{MinHealthyFixed, "A backend keeps its whole share while at least 71 % of its endpoints are ready, whatever minHealthy says."},
		{PooledFailover, "The backends of one lower tier are judged together: of all requests the tier takes as many as the part of all its endpoints that is ready stands for, " +
			"passes on the rest, and each of its backends gives up as much as the others."},
		{TwoTiers, "There are two tiers: every backend below the first one is in the second, by its weight."},
		{FailbackAtOnce, "A backend has its share back as soon as it is healthy again."},
		{AffinityAcross, "The weights choose a backend for each request before the affinity chooses an endpoint of it: a caller stays at one endpoint only among those of one backend."},
		{WeightsIgnored, "Every endpoint of the clusters that share a tier gets the same part of the connections, whatever the weights of the clusters."},
		{AffinityAtZero, "A tier keeps everything while one of its endpoints is ready, and passes on everything when none is."},
		{FixedParts, "What one subset of the consumer's own cluster cannot keep is not taken by another subset of that cluster: " +
			"its part of the requests stays with those of its pods that are ready, and is refused when none is."},
		{HeadOnly, "With one istiod for several clusters a share whose backends choose different pods, stand in more than two tiers, are not all clusters of that istiod, " +
			"leave out one that exports the service, or stand behind the gateway of a network that several share, belongs to its first backend alone: " +
			"it is refused while that backend is lost. " +
			"So does the share of callers elsewhere whose backends are clusters of one such istiod and choose different pods, or share a network."},
		{FallbackByPods, "With one istiod for several clusters, what a backend cannot keep is divided by the number of pods among those that take it, whatever their weights."},
		{OtherAlone, "What a backend cannot keep is taken only by backends of the policy's own service and of the same port: a backend of another service stands alone, " +
			"takes nothing of what others cannot keep, and its share is refused while it is lost."},
		{ServerNameOnly, "Where the caller's own Service declares a port as TLS, connections are routed that ask for a governed name in full; any other goes to that Service past the sidecar, without mutual TLS, " +
			"and is refused where the mesh's outboundTrafficPolicy is REGISTRY_ONLY."},
		{ClusterIdentityLost, "Clusters of one trust domain cannot be told apart: a caller of the right namespace and service account is let in from each of them."},
	}
}

// known tells whether a degradation exists.
func known(name string) bool {
	return slices.ContainsFunc(Degradations(), func(d Degradation) bool { return d.Name == name })
}
