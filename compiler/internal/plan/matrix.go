// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Feature is something that a policy asks of the provider in the consumer's
// cluster.
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
)

// Support is what one provider makes of a feature: exact when its zero value,
// degraded when Degradation is set, an error when Refusal is.
type Support struct {
	// Degradation names what must be accepted.
	Degradation string
	// Refusal says why the provider cannot, and Fix what to write instead.
	Refusal, Fix string
}

// Row is one feature of the matrix.
type Row struct {
	Feature Feature
	// Code of the error where it is not exact.
	Code            string
	Istio, Fairlead Support
}

// Of returns what a provider makes of the feature.
func (r Row) Of(p v1alpha1.EastWestProvider) Support {
	if p == v1alpha1.EastWestIstio {
		return r.Istio
	}
	return r.Fairlead
}

// l4 is why Fairlead's own provider refuses what only requests have.
const l4 = "provider fairlead carries connections, not requests"

// Matrix returns what each provider makes of each feature.
func Matrix() []Row {
	return []Row{
		{Feature: Weights, Code: "FL1400"},
		{Feature: Tiers, Code: "FL1401"},
		{Feature: Matches, Code: "FL1402", Fairlead: Support{Refusal: l4, Fix: "remove matches, or use eastWest: istio"}},
		{Feature: Timeout, Code: "FL1403", Fairlead: Support{Refusal: l4, Fix: "remove timeout, or use eastWest: istio"}},
		{Feature: Retries, Code: "FL1404", Fairlead: Support{Refusal: l4, Fix: "remove retries, or use eastWest: istio"}},
		{Feature: Subset, Code: "FL1405", Fairlead: Support{Refusal: "provider fairlead cannot choose pods by label in this version", Fix: "remove subset, or use eastWest: istio"}},
		{Feature: OutlierDetection, Code: "FL1406", Fairlead: Support{Refusal: l4, Fix: "remove outlierDetection, or use eastWest: istio"}},
		{Feature: UDP, Code: "FL1407", Istio: Support{Refusal: "a sidecar never carries UDP", Fix: "use eastWest: fairlead, or govern other ports"}},
		{Feature: TLS, Code: "FL1408", Istio: Support{Refusal: "routing by the server name of a client's own TLS is not supported in this version", Fix: "write protocol: tcp"}},
		{Feature: L7OnStream, Code: "FL1409",
			Istio:    Support{Refusal: "matches, timeout and retries need a port with protocol http or grpc", Fix: "write protocol: http, or remove them"},
			Fairlead: Support{}},
		{Feature: RemoteHealth, Code: "FL1410", Istio: Support{Degradation: GatewayHealth}},
		{Feature: MinHealthy, Code: "FL1411", Istio: Support{Degradation: MinHealthyFixed}},
		{Feature: SharedTier, Code: "FL1412", Istio: Support{Degradation: PooledFailover}},
		{Feature: RepeatedCluster, Code: "FL1413", Istio: Support{Refusal: "a failover chain of Istio can name a cluster only once", Fix: "name another cluster in the lower priority"}},
		{Feature: HomeFallbacks, Code: "FL1414", Istio: Support{Refusal: "Istio knows one set of fallbacks for the same pods of the consumer's own cluster", Fix: "give both rules the same backends below these pods, or choose other subsets"}},
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
	GatewayHealth   = "gatewayHealth"
	MinHealthyFixed = "minHealthy"
	PooledFailover  = "pooledFailover"
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
		{PooledFailover, "The backends of one lower tier are judged together: the tier passes on what it cannot keep by the part of all its endpoints that is ready, " +
			"and each of its backends gives up as much as the others."},
	}
}

// known tells whether a degradation exists.
func known(name string) bool {
	return slices.ContainsFunc(Degradations(), func(d Degradation) bool { return d.Name == name })
}
