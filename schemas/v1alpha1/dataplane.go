// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Dataplane is everything that the agents of one cluster need to make its
// tunnels. Fairlead writes it, under the name of the ClusterSet.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=fairlead
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.cluster`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.spec.driver`
// +kubebuilder:printcolumn:name="Peers",type=string,JSONPath=`.spec.peers[*].cluster`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Dataplane struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec DataplaneSpec `json:"spec"`
	// +optional
	Status DataplaneStatus `json:"status,omitempty"`
}

// DataplaneStatus is empty: what each node made of the Dataplane is in its
// NodeState.
type DataplaneStatus struct{}

// DataplaneList is a list of dataplanes.
//
// +kubebuilder:object:root=true
type DataplaneList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Dataplane `json:"items"`
}

// DataplaneSpec is the tunnel configuration of one cluster.
type DataplaneSpec struct {
	// Cluster that this is for, as the ClusterSet names it.
	Cluster string `json:"cluster"`
	// Driver of the tunnels.
	Driver Driver `json:"driver"`
	// MTU of the tunnel interfaces in bytes. Zero: the underlay's less what the
	// encapsulation takes.
	// +optional
	MTU int32 `json:"mtu,omitempty"`
	// PodCIDRs of this cluster. Their addresses are kept as they are in
	// tunnels; every other source of this cluster is seen as the tunnel address.
	// +optional
	PodCIDRs []CIDR `json:"podCIDRs,omitempty"`
	// GlobalCIDR of this cluster: its export and tunnel addresses are from it.
	GlobalCIDR CIDR `json:"globalCIDR"`
	// ClusterSetCIDR is the range of the clusterset IPs.
	ClusterSetCIDR CIDR `json:"clusterSetCIDR"`
	// Translation says how this cluster's callers are seen in clusters in which
	// their addresses are somebody else's. Left out: there is no such cluster.
	// +optional
	Translation *CallerTranslation `json:"translation,omitempty"`
	// Gateways of this cluster.
	// +optional
	Gateways []LocalGateway `json:"gateways,omitempty"`
	// Peers are the gateways of the other clusters. A peer whose key is not
	// known yet is not listed.
	// +optional
	Peers []Peer `json:"peers,omitempty"`
}

// CallerTranslation says how callers are seen in other clusters.
type CallerTranslation struct {
	// Mode: pool or prefix.
	// +kubebuilder:validation:Enum=pool;prefix
	Mode Translation `json:"mode"`
	// Toward lists the clusters in which addresses of this cluster's pods are
	// somebody else's. Nothing may be sent to them that is not translated: the
	// answer would go elsewhere.
	// +kubebuilder:validation:MinItems=1
	Toward []string `json:"toward"`
	// Egress are the pools that callers are seen under, with mode pool: the
	// first that is for a caller is used. The last is for every caller.
	// +optional
	Egress []EgressAddresses `json:"egress,omitempty"`
	// Prefixes are translated one to one, with mode prefix.
	// +optional
	Prefixes []PrefixTranslation `json:"prefixes,omitempty"`
}

// EgressAddresses is a pool of addresses that callers are seen under.
type EgressAddresses struct {
	// Name of the pool; empty for that of the whole cluster.
	// +optional
	Name string `json:"name,omitempty"`
	// Namespaces and PodLabels of the callers. Left out: any.
	// +optional
	Namespaces []string `json:"namespaces,omitempty"`
	// +optional
	PodLabels map[string]string `json:"podLabels,omitempty"`
	// Addresses from GlobalCIDR.
	// +kubebuilder:validation:MinItems=1
	Addresses []Address `json:"addresses"`
}

// PrefixTranslation maps a range of pods to a part of GlobalCIDR of the same
// length, address by address.
type PrefixTranslation struct {
	PodCIDR CIDR `json:"podCIDR"`
	Global  CIDR `json:"global"`
}

// LocalGateway is a gateway of the Dataplane's own cluster.
type LocalGateway struct {
	Name string `json:"name"`
	// Node that runs it.
	Node string `json:"node"`
	// NodeAddresses at which the other nodes of the cluster reach it; empty
	// while the node has not announced itself.
	// +optional
	NodeAddresses []Address `json:"nodeAddresses,omitempty"`
	// TunnelAddress is the gateway's own address in the tunnels, from GlobalCIDR.
	TunnelAddress Address `json:"tunnelAddress"`
	// Port on which the gateway listens (UDP).
	Port int32 `json:"port"`
	// LastPort of the range that begins with Port, which is the gateway's alone:
	// what listens for a new key or a further tunnel is among them. Zero: the
	// range is Port alone.
	// +optional
	LastPort int32 `json:"lastPort,omitempty"`
}

// Peer is a gateway of another cluster.
type Peer struct {
	Cluster string `json:"cluster"`
	Gateway string `json:"gateway"`
	// PublicKey of the gateway, base64 (WireGuard, Curve25519).
	PublicKey string `json:"publicKey"`
	// Endpoints "address:port" at which the gateway is reached, best first.
	// +kubebuilder:validation:MinItems=1
	Endpoints []string `json:"endpoints"`
	// PrivateEndpoints "address:port" at which the gateway is reached over a
	// network that both clusters share, best first. They go before Endpoints.
	// Left out: there is no such network.
	// +optional
	PrivateEndpoints []string `json:"privateEndpoints,omitempty"`
	// TunnelAddress of the gateway.
	TunnelAddress Address `json:"tunnelAddress"`
	// Prefixes behind the gateway: the pod CIDRs and the global CIDR of its
	// cluster.
	Prefixes []CIDR `json:"prefixes"`
}

// NodeState is what the agent of one node announces and observes. Its name is
// the node's. Nobody but that agent writes it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=fairlead
// +kubebuilder:printcolumn:name="Addresses",type=string,JSONPath=`.spec.addresses[*]`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type NodeState struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NodeStateSpec `json:"spec"`
	// +optional
	Status NodeStateStatus `json:"status,omitempty"`
}

// NodeStateList is a list of node states.
//
// +kubebuilder:object:root=true
type NodeStateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeState `json:"items"`
}

// NodeStateSpec is what a node announces of itself.
type NodeStateSpec struct {
	// PublicKey of the node's tunnels, base64. The private key never leaves the
	// node.
	// +optional
	PublicKey string `json:"publicKey,omitempty"`
	// Addresses of the node on its underlay, best first.
	// +optional
	Addresses []Address `json:"addresses,omitempty"`
}

// NodeStateStatus is what a node observes.
type NodeStateStatus struct {
	// ObservedGeneration is the generation of the Dataplane that was applied
	// last; zero before the first.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// MTU of the tunnel interface in bytes; zero where there is none.
	// +optional
	MTU int32 `json:"mtu,omitempty"`
	// Conditions: Ready is True when the kernel was made to match.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
