// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Connectivity says which clusters are joined and how tunnels are made.
type Connectivity struct {
	// Driver of the tunnels. Agents of this version run wireguard alone; told to
	// run another one they say so in their NodeState, and carry nothing. Left out:
	// wireguard.
	// +optional
	Driver Driver `json:"driver,omitempty"`
	// MTU of the tunnel interfaces: auto, or a number of bytes from 1280 (the
	// least that IPv6 allows, RFC 8200) to 9000. Left out: auto, which is the
	// underlay's less what the encapsulation takes.
	// +optional
	// +kubebuilder:validation:Pattern=`^(auto|[1-9][0-9]{3})$`
	MTU string `json:"mtu,omitempty"`
	// Translate says what is done about clusters with overlapping CIDRs. none:
	// an overlap is an error. pool: callers are seen under a few addresses of
	// their cluster's global CIDR. prefix: every pod has an address of its own
	// there, of the same last bits. Agents of this version do not translate and say
	// so in their NodeState. Left out: none.
	// +optional
	Translate Translation `json:"translate,omitempty"`
	// Egress says under how many addresses callers are seen where translate is
	// pool. Left out: those of each cluster under 8.
	// +optional
	Egress *Egress `json:"egress,omitempty"`
	// Topology says which clusters are joined. Left out: every one with every
	// other.
	// +optional
	Topology *Topology `json:"topology,omitempty"`
}

// Driver makes tunnels.
//
// +kubebuilder:validation:Enum=wireguard;vxlan;ipsec
type Driver string

// The drivers. vxlan encrypts nothing (RFC 7348).
const (
	DriverWireGuard Driver = "wireguard"
	DriverVXLAN     Driver = "vxlan"
	DriverIPsec     Driver = "ipsec"
)

// Translation is what is done about overlapping CIDRs.
//
// +kubebuilder:validation:Enum=none;pool;prefix
type Translation string

// The translations.
const (
	TranslateNone   Translation = "none"
	TranslatePool   Translation = "pool"
	TranslatePrefix Translation = "prefix"
)

// Egress says under how many addresses callers are seen in clusters whose pods
// have the same addresses. A connection keeps the address that it began with;
// each address carries about 64,000 connections to one port of one endpoint.
type Egress struct {
	// Addresses of each cluster, for every caller that no pool is for. Left
	// out: 8.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Addresses int32 `json:"addresses,omitempty"`
	// Pools are addresses for some callers alone; the first that is for a caller
	// is used. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Pools []EgressPool `json:"pools,omitempty"`
}

// EgressPool is a pool of addresses for the pods of some namespaces, or for
// selected pods. At least one of namespaces and podLabels is set.
type EgressPool struct {
	// Name of the pool, unique in the ClusterSet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Clusters that have such a pool. Left out: every cluster.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Clusters []string `json:"clusters,omitempty"`
	// Namespaces that the callers run in. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Namespaces []string `json:"namespaces,omitempty"`
	// PodLabels that the callers' pods have. Left out: any.
	// +optional
	PodLabels map[string]string `json:"podLabels,omitempty"`
	// Addresses of the pool in each cluster. Left out: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Addresses int32 `json:"addresses,omitempty"`
}

// Defaults of egress addresses.
const (
	DefaultEgressAddresses     = 8
	DefaultEgressPoolAddresses = 1
)

// Topology says which clusters are joined. Traffic never passes through a third
// cluster.
type Topology struct {
	// Mode: mesh joins all. hubAndSpoke joins the hubs with all, and nothing
	// else. groups joins the members of each group. Left out: mesh.
	// +optional
	Mode TopologyMode `json:"mode,omitempty"`
	// Hubs by name; required with hubAndSpoke and refused otherwise. Left out:
	// none.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Hubs []string `json:"hubs,omitempty"`
	// Groups of clusters; required with groups and refused otherwise. A cluster
	// may be in several. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Groups []ClusterGroup `json:"groups,omitempty"`
}

// TopologyMode is a way to join clusters.
//
// +kubebuilder:validation:Enum=mesh;hubAndSpoke;groups
type TopologyMode string

// The modes of a topology.
const (
	TopologyMesh        TopologyMode = "mesh"
	TopologyHubAndSpoke TopologyMode = "hubAndSpoke"
	TopologyGroups      TopologyMode = "groups"
)

// ClusterGroup is a set of clusters that are joined with each other.
type ClusterGroup struct {
	// Name of the group, unique in the topology.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// Clusters of the group.
	ClusterSelector `json:",inline"`
}
