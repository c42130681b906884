// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Connectivity says which clusters are joined and how tunnels are made.
type Connectivity struct {
	// Driver of the tunnels. Left out: wireguard.
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
	// there, of the same last bits. Left out: none.
	// +optional
	Translate Translation `json:"translate,omitempty"`
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
