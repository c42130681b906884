// SPDX-License-Identifier: Apache-2.0

package fleet

import "github.com/fairlead/fairlead/compiler/diag"

// The codes of what documents say to each other.
const (
	CodeUnknownCluster = "FL1301"
	CodeNoSet          = "FL1302"
	CodeAmbiguousSet   = "FL1303"
	CodeUnknownSet     = "FL1304"
	CodeOverlap        = "FL1305"
	CodeClusterTwice   = "FL1306"
	CodeContextTwice   = "FL1307"
	CodeEmptySelection = "FL1308"
	CodeTwoConsumers   = "FL1309"
	CodeTwoProducers   = "FL1310"
	CodeNotExported    = "FL1311"
	CodeNoGateway      = "FL1312"
	CodeRangeFull      = "FL1313"
	CodeNoMeshGateway  = "FL1314"
	CodeGatewayTwice   = "FL1315"
	CodeNameTooLong    = "FL1316"
	CodeOutOfReach     = "FL1317"
	CodeProviders      = "FL1318"
)

// Codes returns the codes of this package, in the order of their numbers.
func Codes() []diag.Code {
	return append([]diag.Code{
		{ID: CodeUnknownCluster, Title: "unknown cluster", Doc: "A policy names a cluster that its ClusterSet does not have. Correct the name, or add the cluster to the set."},
		{ID: CodeNoSet, Title: "no ClusterSet", Doc: "There are policies but no ClusterSet. Add one that lists the clusters."},
		{ID: CodeAmbiguousSet, Title: "which ClusterSet?", Doc: "The repository has several ClusterSets and the policy does not say which one it is for. Write spec.clusterSet."},
		{ID: CodeUnknownSet, Title: "unknown ClusterSet", Doc: "spec.clusterSet names a ClusterSet that is not in the repository. Correct the name, or add it."},
		{ID: CodeOverlap, Title: "overlapping address ranges", Doc: "Two ranges that packets must be told apart by have addresses in common. Give one of them other addresses."},
		{ID: CodeClusterTwice, Title: "one cluster in two sets", Doc: "A cluster name stands in two ClusterSets. Facts and addresses are kept by cluster name: choose different names."},
		{ID: CodeContextTwice, Title: "one API server for two clusters", Doc: "Two clusters are reached by the same kubeconfig context and would overwrite each other. Give each its own."},
		{ID: CodeEmptySelection, Title: "empty selection", Doc: "A selector chooses no cluster at all. Correct the labels, or name clusters."},
		{ID: CodeTwoConsumers, Title: "two policies for one consumer", Doc: "Two policies govern the same service in the same consumer. Nothing is merged in silence: narrow imports.to of one of them."},
		{ID: CodeTwoProducers, Title: "two policies with the producer's parts", Doc: "Exports, and the ports of the service, belong to the producer: at most one policy of a service has them."},
		{ID: CodeNotExported, Title: "backend is not exported", Doc: "A backend is in a cluster that does not export the service. Add the cluster to exports.from, or remove the backend."},
		{ID: CodeNoGateway, Title: "no gateway", Doc: "A cluster that takes part by tunnel has no gateway. Name the node that ends its tunnels."},
		{ID: CodeRangeFull, Title: "address range exhausted", Doc: "There are more names than addresses in a range. Choose a larger one."},
		{ID: CodeNoMeshGateway, Title: "no east-west gateway", Doc: "A cluster with Istio offers a service to other clusters but lets nobody in. Describe its eastWestGateway."},
		{ID: CodeGatewayTwice, Title: "two gateways share a key or an endpoint", Doc: "Two gateways are given the same public key, or the same address and port. Peers could not tell them apart."},
		{ID: CodeNameTooLong, Title: "name too long", Doc: "A name that follows from the service, the namespace, the cluster and the domain is longer than DNS allows."},
		{ID: CodeOutOfReach, Title: "cluster out of reach", Doc: "A consumer cannot reach a cluster, because their providers have no path in common."},
		{ID: CodeProviders, Title: "providers do not go together", Doc: "The east-west provider of a cluster cannot work with its tunnel provider."},
	}, partCodes()...)
}
