// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClusterSet is a group of clusters that trust each other and share services
// (KEP-2149, KEP-1645).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=cset,categories=fairlead
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domain`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClusterSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ClusterSetSpec `json:"spec"`
	// +optional
	Status PolicyStatus `json:"status,omitempty"`
}

// ClusterSetList is a list of cluster sets.
//
// +kubebuilder:object:root=true
type ClusterSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterSet `json:"items"`
}

// ClusterSetSpec describes the clusters and what joins them.
type ClusterSetSpec struct {
	// Domain under which shared services are found. Left out: clusterset.local.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Domain string `json:"domain,omitempty"`
	// Addresses are the ranges that Fairlead allots from.
	// +optional
	Addresses *AddressRanges `json:"addresses,omitempty"`
	// Clusters of the set, in any order.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Clusters []Cluster `json:"clusters"`
	// Connectivity says which clusters are joined and how tunnels are made.
	// +optional
	Connectivity *Connectivity `json:"connectivity,omitempty"`
	// Access is what holds where a policy says nothing of access.
	// +optional
	Access *DefaultAccess `json:"access,omitempty"`
	// Trust says where the roots of identities come from.
	// +optional
	Trust *Trust `json:"trust,omitempty"`
	// Tenancy says which directories of the repository may have policies for
	// what. Left out: every directory for everything. With it, a policy that no
	// entry allows is an error.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Tenancy []Tenant `json:"tenancy,omitempty"`
	// Defaults of what policies leave out.
	// +optional
	Defaults *Defaults `json:"defaults,omitempty"`
	// Rollout says in which order a change reaches the clusters. Left out: all
	// at once.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`
}

// AddressRanges are the ranges that Fairlead allots from. They must overlap
// neither each other nor a CIDR of a cluster.
type AddressRanges struct {
	// Global: each cluster gets a /16 of it for export and tunnel addresses.
	// Left out: 242.0.0.0/8.
	// +optional
	Global CIDR `json:"global,omitempty"`
	// ClusterSet: each shared service gets one address of it. Left out:
	// 243.0.0.0/8.
	// +optional
	ClusterSet CIDR `json:"clusterset,omitempty"`
	// ClusterSetIPv6: each shared service gets one address of it besides, where
	// every exporter and consumer has IPv6. Left out: services have IPv4 alone.
	// +optional
	ClusterSetIPv6 CIDR `json:"clustersetIPv6,omitempty"`
}

// Cluster is one member of the set.
type Cluster struct {
	// Name is an RFC 1123 label; it is also the cluster id of the MCS API.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Region tells how near clusters are to each other. Left out: as far from
	// every other as can be.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$`
	Region string `json:"region,omitempty"`
	// Zone inside the region. Left out: none that another cluster is in.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$`
	Zone string `json:"zone,omitempty"`
	// State of the cluster. draining: it still calls, but no traffic is sent to
	// it and it exports nothing. removed: everything that Fairlead wrote there
	// is taken away; then the entry can be deleted. Left out: active.
	// +optional
	State ClusterState `json:"state,omitempty"`
	// Labels by which policies may choose the cluster. Left out: none.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// API says how to reach the cluster's API server. Left out: the kubeconfig
	// context that has the cluster's name.
	// +optional
	API *ClusterAPI `json:"api,omitempty"`
	// Providers of the layers in this cluster.
	// +optional
	Providers *Providers `json:"providers,omitempty"`
	// Network describes the cluster's address ranges.
	// +optional
	Network *Network `json:"network,omitempty"`
	// Gateways are the nodes that end this cluster's tunnels, best first. Agents
	// of this version run one per cluster: the first carries everything, and the
	// others are warned of and take no part until they are first. Left out: none;
	// with tunnels one is required.
	// +optional
	// +kubebuilder:validation:MaxItems=4
	Gateways []Gateway `json:"gateways,omitempty"`
	// Istio describes the mesh; needed where providers.eastWest is istio.
	// +optional
	Istio *Istio `json:"istio,omitempty"`
}

// ClusterState is a step of a cluster's life in the set.
//
// +kubebuilder:validation:Enum=active;draining;removed
type ClusterState string

// The states of a cluster.
const (
	ClusterActive   ClusterState = "active"
	ClusterDraining ClusterState = "draining"
	ClusterRemoved  ClusterState = "removed"
)

// ClusterAPI says how to reach an API server: exactly one field is set.
type ClusterAPI struct {
	// Context of the kubeconfig that the reconciler is given. It names one
	// cluster only.
	// +optional
	// +kubebuilder:validation:MinLength=1
	Context string `json:"context,omitempty"`
	// SecretRef names a Secret of the hub, which is the cluster that the
	// reconciler's --hub context reaches. It holds a kubeconfig whose current
	// context reaches the cluster. The kubeconfig must hold everything itself:
	// one that names files, runs programs or asks another service who it is, is
	// refused.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
}

// SecretReference names one value of a Secret.
type SecretReference struct {
	// Namespace of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace"`
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
	// Key in its data. Left out: value, as Cluster API writes it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// DefaultSecretKey is the key of a kubeconfig in a Secret: that of Cluster API
// (its secret convention for kubeconfigs).
const DefaultSecretKey = "value"

// String names the way for people: context "cluster1", or Secret fleet/cluster1,
// with the key where it is not the usual one.
func (a ClusterAPI) String() string {
	switch r := a.SecretRef; {
	case r != nil && r.Key != "" && r.Key != DefaultSecretKey:
		return fmt.Sprintf("Secret %s/%s, key %q", r.Namespace, r.Name, r.Key)
	case r != nil:
		return fmt.Sprintf("Secret %s/%s", r.Namespace, r.Name)
	}
	return fmt.Sprintf("context %q", a.Context)
}

// Providers says who carries each layer in a cluster.
type Providers struct {
	// EastWest routes between services. Left out: fairlead.
	// +optional
	EastWest EastWestProvider `json:"eastWest,omitempty"`
	// NorthSouth serves the gateway frontends. Left out: none.
	// +optional
	NorthSouth NorthSouthProvider `json:"northSouth,omitempty"`
	// Discovery writes ServiceImports. Left out: fairlead. With existing,
	// another implementation of the MCS API does, and only ServiceExports are
	// written.
	// +optional
	Discovery DiscoveryProvider `json:"discovery,omitempty"`
	// Tunnel joins the cluster's pods to the other clusters'. Left out:
	// fairlead where eastWest is fairlead, otherwise none.
	// +optional
	Tunnel TunnelProvider `json:"tunnel,omitempty"`
}

// EastWestProvider routes between services.
//
// +kubebuilder:validation:Enum=istio;cilium;fairlead
type EastWestProvider string

// NorthSouthProvider serves requests from outside.
//
// +kubebuilder:validation:Enum=envoy-gateway;istio;none
type NorthSouthProvider string

// Provider is a provider of routing, east-west or north-south.
//
// +kubebuilder:validation:Enum=istio;cilium;fairlead;envoy-gateway
type Provider string

// The providers of routing.
const (
	ProviderIstio        Provider = "istio"
	ProviderCilium       Provider = "cilium"
	ProviderFairlead     Provider = "fairlead"
	ProviderEnvoyGateway Provider = "envoy-gateway"
)

// DiscoveryProvider writes ServiceImports.
//
// +kubebuilder:validation:Enum=fairlead;existing
type DiscoveryProvider string

// TunnelProvider joins clusters.
//
// +kubebuilder:validation:Enum=fairlead;none
type TunnelProvider string

// The providers.
const (
	EastWestIstio          EastWestProvider   = "istio"
	EastWestCilium         EastWestProvider   = "cilium"
	EastWestFairlead       EastWestProvider   = "fairlead"
	NorthSouthEnvoyGateway NorthSouthProvider = "envoy-gateway"
	NorthSouthIstio        NorthSouthProvider = "istio"
	NorthSouthNone         NorthSouthProvider = "none"
	DiscoveryFairlead      DiscoveryProvider  = "fairlead"
	DiscoveryExisting      DiscoveryProvider  = "existing"
	TunnelFairlead         TunnelProvider     = "fairlead"
	TunnelNone             TunnelProvider     = "none"
)

// Network describes a cluster's address ranges. IPv6 ranges may be among them
// where the cluster's tunnel provider is none: Fairlead's tunnels carry IPv4.
type Network struct {
	// PodCIDRs that the cluster's pods have addresses of. Left out: not known.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	PodCIDRs []CIDR `json:"podCIDRs,omitempty"`
	// ServiceCIDRs that the cluster's ClusterIPs are from. Left out: not known.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	ServiceCIDRs []CIDR `json:"serviceCIDRs,omitempty"`
	// GlobalCIDR is the cluster's part of addresses.global. Left out: allotted.
	// +optional
	GlobalCIDR CIDR `json:"globalCIDR,omitempty"`
}

// Gateway is a node that ends the cluster's tunnels.
type Gateway struct {
	// Name of the gateway, unique in its cluster.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Node that runs it, of which a cluster has one gateway.
	// +kubebuilder:validation:MinLength=1
	Node string `json:"node"`
	// Addresses at which the other clusters reach it, best first. Left out:
	// those that the node announces.
	// +optional
	// +kubebuilder:validation:MaxItems=4
	Addresses []Address `json:"addresses,omitempty"`
	// PrivateAddresses at which clusters of the same region reach it over a
	// network that they share, best first. They go before addresses between two
	// clusters of one region whose gateways both have some; no other cluster is
	// told of them. Clusters of a region without such a network leave them out.
	// Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=4
	PrivateAddresses []Address `json:"privateAddresses,omitempty"`
	// Ports are UDP ports that nothing else uses at the gateway's addresses,
	// which firewalls let in: one, like "51820", or a range of at most 64, like
	// 51820-51835. The first is the tunnel's; the others are kept for key
	// rotation and for further tunnels beside it. Left out: 51820.
	// +optional
	Ports PortRange `json:"ports,omitempty"`
	// PublicKey pins the WireGuard public key, base64. Left out: the key that
	// the agent on the node announces.
	// +optional
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$`
	PublicKey string `json:"publicKey,omitempty"`
}

// DefaultTunnelPort is the UDP port of a tunnel where none is given: the one
// that WireGuard's documentation uses.
const DefaultTunnelPort = 51820

// Defaults of a ClusterSet.
const (
	DefaultDomain          = "clusterset.local"
	DefaultGlobalRange     = "242.0.0.0/8"
	DefaultClusterSetRange = "243.0.0.0/8"
	// DefaultEastWestPort is the port that Istio reserves for cross-network
	// traffic at a gateway.
	DefaultEastWestPort = 15443
)
