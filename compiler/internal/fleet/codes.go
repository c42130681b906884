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
	CodeLeaving        = "FL1319"
	CodeUnknownService = "FL1320"
	CodeUnknownPort    = "FL1321"
	CodeTenancy        = "FL1322"
	CodeTenantUnused   = "FL1323"
	CodeMeshNetwork    = "FL1324"
	CodeTranslation    = "FL1325"
	CodeEgress         = "FL1328"
	CodeAlone          = "FL1326"
	CodeNamesCollide   = "FL1327"
	CodeIdleGateway    = "FL1329"
)

// Codes returns the codes of this package, in the order of their numbers.
func Codes() []diag.Code {
	return append([]diag.Code{
		{ID: CodeUnknownCluster, Title: "unknown cluster", Doc: "A policy names a cluster that its ClusterSet does not have. Correct the name, or add the cluster to the set."},
		{ID: CodeNoSet, Title: "no ClusterSet", Doc: "There are policies but no ClusterSet. Add one that lists the clusters."},
		{ID: CodeAmbiguousSet, Title: "which ClusterSet?", Doc: "The repository has several ClusterSets and the policy does not say which one it is for. Write spec.clusterSet."},
		{ID: CodeUnknownSet, Title: "unknown ClusterSet", Doc: "spec.clusterSet names a ClusterSet that is not in the repository. Correct the name, or add it."},
		{ID: CodeOverlap, Title: "overlapping address ranges", Doc: "Two ranges that packets must be told apart by have addresses in common. Give one of them other addresses, or let Fairlead translate between clusters (connectivity.translate), which works for IPv4. The set's own ranges overlap nothing. Clusters that only meet at the gateways of a mesh may overlap."},
		{ID: CodeClusterTwice, Title: "one cluster in two sets", Doc: "A cluster name stands in two ClusterSets. Facts and addresses are kept by cluster name: choose different names."},
		{ID: CodeContextTwice, Title: "one API server for two clusters", Doc: "Two clusters are reached by the same kubeconfig context or Secret and would overwrite each other. Give each its own."},
		{ID: CodeEmptySelection, Title: "empty selection", Doc: "A selector chooses no cluster at all. Correct the labels, or name clusters."},
		{ID: CodeTwoConsumers, Title: "two policies for one consumer", Doc: "Two policies govern the same service at the same frontend of the same consumer: its pods, or a hostname at a gateway. Nothing is merged in silence: narrow imports.to of one of them, or give them different frontends."},
		{ID: CodeTwoProducers, Title: "two policies with the producer's parts", Doc: "Exports, access, healthCheck, and the ports and names of the service belong to the producer: at most one policy of a service has them. Ports and names may be repeated as they are."},
		{ID: CodeNotExported, Title: "backend is not exported", Doc: "A backend is in a cluster that does not export the service. Add the cluster to exports.from, or remove the backend."},
		{ID: CodeNoGateway, Title: "no gateway", Doc: "A cluster that takes part by tunnel has no gateway. Name the node that ends its tunnels."},
		{ID: CodeRangeFull, Title: "address range exhausted", Doc: "There are more names than addresses in a range. Choose a larger one."},
		{ID: CodeNoMeshGateway, Title: "no east-west gateway", Doc: "A cluster with Istio offers a service to other clusters but lets nobody in; or its own callers fall back to its pods from those of another cluster, which is through its gateway too. Describe its eastWestGateway."},
		{ID: CodeGatewayTwice, Title: "two gateways share a key or an endpoint", Doc: "Two gateways are given the same public key, or a port in common at the same address (among privateAddresses: in the same region). Peers could not tell them apart."},
		{ID: CodeNameTooLong, Title: "name too long", Doc: "A name that follows from the service, the namespace, the cluster and the domain is longer than DNS allows."},
		{ID: CodeOutOfReach, Title: "cluster out of reach", Doc: "A consumer cannot reach a cluster, because the topology does not join them or their providers have no path in common. Traffic never passes through a third cluster. Narrow imports.to, or change the topology or the providers."},
		{ID: CodeProviders, Title: "providers do not go together", Doc: "The east-west provider of a cluster cannot work with its tunnel provider, because Istio and Cilium bring their own ways between clusters; fairlead needs Fairlead's tunnels."},
		{ID: CodeLeaving, Title: "cluster on its way out", Severity: diag.Warning, Doc: "A policy names a cluster that is draining or removed. A draining cluster exports nothing and its backends count as lost: their share goes where it would go if the cluster were dead. A removed cluster takes no part at all."},
		{ID: CodeUnknownService, Title: "unknown service", Doc: "A backend names a service that no policy of the ClusterSet speaks of, so that no cluster exports it. Correct the name, or write a policy for the service."},
		{ID: CodeUnknownPort, Title: "unknown port", Doc: "A backend or an access rule names a port that the service does not have, by the ports that its policy lists. A backend without a port gets the port that was called, which the other service must then have."},
		{ID: CodeTenancy, Title: "not allowed by tenancy", Doc: "spec.tenancy of the ClusterSet says which directories may have policies for which namespaces and clusters. The entry with the longest path above the policy's file decides, and shorter ones do not count; of several with that path, one must allow the policy. A policy that no entry allows is refused."},
		{ID: CodeTenantUnused, Title: "tenancy without policies", Severity: diag.Warning, Doc: "A path of spec.tenancy has no policy below it. Paths are counted from the root of the repository and end in a slash."},
		{ID: CodeMeshNetwork, Title: "network of another cluster", Doc: "A mesh network that is left out has the name of its cluster, and another cluster took that name for its own. Pods of one network reach each other without a gateway, which only clusters of one control plane may."},
		{ID: CodeEgress, Title: "egress addresses", Doc: "With translate: pool callers are seen in clusters that have the same addresses under a few addresses of their own cluster. A pool of its own is for some namespaces or pods, and has a name that no other pool has."},
		{ID: CodeTranslation, Title: "no room for translation", Doc: "With translate: prefix every pod has an address of its own in the global CIDR of its cluster, so that the global CIDR must be at least as large as all the podCIDRs (IPv4) together."},
		{ID: CodeAlone, Title: "cluster is alone", Severity: diag.Warning, Doc: "The topology joins the cluster with no other, so that it can neither call other clusters nor be called."},
		{ID: CodeNamesCollide, Title: "derived names collide", Doc: "Names that follow from the set's domain would be names of something else. Names of services under cluster.local belong to each cluster's own Services."},
		{ID: CodeIdleGateway, Title: "gateway takes no part", Severity: diag.Warning, Doc: "Something that is written of a gateway is used by nobody. Agents of this version run one gateway per cluster, the first. Private addresses are for clusters of the same region whose gateways have some too."},
	}, partCodes()...)
}
