// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"cmp"
	"maps"
	"slices"
)

// APIVersion and Kind identify an inventory file.
const (
	APIVersion = "fairlead.dev/v1alpha1"
	Kind       = "Inventory"
)

// Inventory is what was observed of the clusters. Its zero value knows nothing.
type Inventory struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// CollectedAt is when it was collected, RFC 3339 in UTC; empty where that
	// is not known. The compiler never looks at it.
	CollectedAt string `json:"collectedAt,omitempty"`
	// Clusters by name; at most one entry each.
	Clusters []Cluster `json:"clusters,omitempty"`
	// Ledger of the addresses that were allotted before.
	Ledger []Allocation `json:"ledger,omitempty"`
}

// Cluster is what one cluster says of itself.
type Cluster struct {
	Name string `json:"name"`
	// Unreachable says why the cluster could not be observed; empty where it
	// was. When set, only Nodes may be known (from before).
	Unreachable string `json:"unreachable,omitempty"`
	// Istio is the version of the control plane, such as "1.31.1"; empty where
	// there is none or it is not known.
	Istio string `json:"istio,omitempty"`
	// EnvoyGateway is the version of Envoy Gateway, such as "1.9.1"; empty where
	// there is none or it is not known.
	EnvoyGateway string `json:"envoyGateway,omitempty"`
	// Cilium is the version of Cilium, such as "1.19.4"; empty where the cluster
	// has another CNI or it is not known.
	Cilium string `json:"cilium,omitempty"`
	// HostRouting is Cilium's eBPF host routing: "ebpf" bypasses nftables,
	// "legacy" does not; empty where it is not known.
	HostRouting string `json:"hostRouting,omitempty"`
	// Roots are the digests (SHA-256, hexadecimal) of the certificates that the
	// cluster's mesh trusts, sorted; empty where they are not known.
	Roots []string `json:"roots,omitempty"`
	// Namespaces that exist.
	Namespaces []string `json:"namespaces,omitempty"`
	// Ambient are the namespaces whose pods are in Istio's ambient mesh, without
	// sidecars.
	Ambient []string `json:"ambient,omitempty"`
	// Kinds that the API server serves, of those that Fairlead writes, as
	// Kind.group, such as "ServiceImport.multicluster.x-k8s.io".
	Kinds []string `json:"kinds,omitempty"`
	// Services that policies may speak of, without those that Fairlead itself
	// wrote (manifest.LabelManagedBy): a stub must not make itself superfluous.
	Services []Service `json:"services,omitempty"`
	// Exports are the ServiceExports that exist.
	Exports []Name `json:"exports,omitempty"`
	// Nodes that announced themselves.
	Nodes []Node `json:"nodes,omitempty"`
	// Foreign lists objects of the kinds that Fairlead writes which somebody
	// else owns.
	Foreign []Object `json:"foreign,omitempty"`
}

// Name is a namespaced name.
type Name struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns namespace/name.
func (n Name) String() string { return n.Namespace + "/" + n.Name }

// Compare orders names by namespace, then name.
func (n Name) Compare(o Name) int {
	if order := cmp.Compare(n.Namespace, o.Namespace); order != 0 {
		return order
	}
	return cmp.Compare(n.Name, o.Name)
}

// Service is a Service and the pods behind it.
type Service struct {
	Name `json:",inline"`
	// Headless: the Service has no ClusterIP.
	Headless bool `json:"headless,omitempty"`
	// ExternalName: the Service is only a DNS alias and cannot be exported
	// (KEP-1645).
	ExternalName bool `json:"externalName,omitempty"`
	// Selector of the Service's pods; empty where it has none.
	Selector map[string]string `json:"selector,omitempty"`
	Ports    []Port            `json:"ports,omitempty"`
	// Workloads are the distinct kinds of pods that the Service selects.
	Workloads []Workload `json:"workloads,omitempty"`
}

// Port is a port of a Service.
type Port struct {
	// Name; empty for the only, unnamed port.
	Name string `json:"name,omitempty"`
	Port int32  `json:"port"`
	// Transport is TCP, UDP or SCTP.
	Transport string `json:"transport"`
	// AppProtocol as the Service gives it; empty where it does not.
	AppProtocol string `json:"appProtocol,omitempty"`
	// TargetPort is the number of the pods' port; zero where it is not known or
	// pods differ in it.
	TargetPort int32 `json:"targetPort,omitempty"`
}

// Workload stands for all pods of a service that look alike.
type Workload struct {
	// Labels of the pods, without those that controllers add per revision.
	Labels map[string]string `json:"labels,omitempty"`
	// ServiceAccount that the pods run as.
	ServiceAccount string `json:"serviceAccount"`
	// Sidecar: the pods carry an Istio sidecar.
	Sidecar bool `json:"sidecar,omitempty"`
}

// Node is what a node announced of itself (NodeState).
type Node struct {
	Name string `json:"name"`
	// PublicKey of the node's tunnels, base64; empty before there is one.
	PublicKey string `json:"publicKey,omitempty"`
	// Addresses on the underlay, best first.
	Addresses []string `json:"addresses,omitempty"`
}

// Object names an object and its owner.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespace is empty for cluster-scoped objects.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Owner is who manages the object: the field manager, or a label that says so.
	Owner string `json:"owner,omitempty"`
	// Hosts that the object routes, where it is an Istio object that has any.
	Hosts []string `json:"hosts,omitempty"`
}

// Allocation is an address, a prefix or a key that a name keeps.
type Allocation struct {
	// Pool that the value is from: "global", "clusterset", "clusterset6", "export/<cluster>",
	// "tunnel/<cluster>", "key/<cluster>" or "address/<cluster>".
	Pool string `json:"pool"`
	// Key is the name within the pool: a cluster, namespace/service,
	// namespace/service/cluster, or gateway.
	Key string `json:"key"`
	// Value is an address, a prefix, a public key, or addresses with a comma
	// between them.
	Value string `json:"value"`
	// From names the clusters whose own objects say so, sorted; a cluster can
	// make its objects say anything. Empty where the entry comes from elsewhere,
	// such as from a file that somebody keeps: then it is believed first.
	From []string `json:"from,omitempty"`
}

// The pools of the ledger.
const (
	PoolGlobal      = "global"      // cluster → its global CIDR
	PoolClusterSet  = "clusterset"  // namespace/service → its clusterset IP; namespace/service/cluster → that of its part there
	PoolClusterSet6 = "clusterset6" // namespace/service → its IPv6 clusterset IP
	PoolExport      = "export/"     // + cluster: namespace/service → its export address
	PoolTunnel      = "tunnel/"     // + cluster: gateway → its tunnel address
	PoolEgress      = "egress/"     // + cluster: pool/n → the nth address that callers are seen under; the cluster's own pool has no name
	PoolPrefix      = "prefix/"     // + cluster: pod CIDR → the range that its pods are seen under
	PoolKey         = "key/"        // + cluster: gateway → the public key that peers were told last
	PoolAddress     = "address/"    // + cluster: gateway → the announced addresses that peers were told last
)

// Find returns the observation of a cluster, and false where there is none.
func (inv Inventory) Find(cluster string) (Cluster, bool) {
	i := slices.IndexFunc(inv.Clusters, func(c Cluster) bool { return c.Name == cluster })
	if i < 0 {
		return Cluster{}, false
	}
	return inv.Clusters[i], true
}

// SortLedger orders allocations by pool and key.
func SortLedger(ledger []Allocation) {
	// Ledgers are written pool by pool, and mostly in order: there is little to
	// sort in a pool.
	pools := map[string][]Allocation{}
	for _, a := range ledger {
		pools[a.Pool] = append(pools[a.Pool], a)
	}
	at := 0
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		pool := pools[name]
		if !slices.IsSortedFunc(pool, compareKeys) {
			slices.SortFunc(pool, compareKeys)
		}
		at += copy(ledger[at:], pool)
	}
}

// compareKeys orders allocations of one pool.
func compareKeys(a, b Allocation) int {
	if order := cmp.Compare(a.Key, b.Key); order != 0 {
		return order
	}
	return cmp.Compare(a.Value, b.Value)
}
