// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Istio describes the mesh of a cluster.
type Istio struct {
	// Mode of the mesh. ambient is known and refused: its waypoints route by
	// other objects. Left out: sidecar.
	// +optional
	// +kubebuilder:validation:Enum=sidecar;ambient
	Mode MeshMode `json:"mode,omitempty"`
	// ControlPlane is the cluster whose istiod configures this one's proxies;
	// Istio's objects for this cluster are written there. Left out: this cluster.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ControlPlane string `json:"controlPlane,omitempty"`
	// Network that the cluster's pods are in, as Istio names it
	// (topology.istio.io/network). Pods of one network reach each other without
	// a gateway; only clusters of one control plane may share it. Left out: a
	// network of the cluster's own.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Network string `json:"network,omitempty"`
	// TrustDomain of the mesh's identities. Left out: cluster.local.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	TrustDomain string `json:"trustDomain,omitempty"`
	// RootNamespace of the mesh, where istiod and its gateways are. Left out:
	// istio-system.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	RootNamespace string `json:"rootNamespace,omitempty"`
	// MutualTLS of the whole mesh: strict refuses clear text at every pod with a
	// sidecar (a PeerAuthentication in the root namespace). Left out: untouched.
	// +optional
	// +kubebuilder:validation:Enum=strict
	MutualTLS string `json:"mutualTLS,omitempty"`
	// EastWestGateway lets the other clusters in. Needed in a cluster that
	// exports.
	// +optional
	EastWestGateway *EastWestGateway `json:"eastWestGateway,omitempty"`
}

// MeshMode is how a mesh carries traffic.
type MeshMode string

// The modes of a mesh.
const (
	MeshSidecar MeshMode = "sidecar"
	MeshAmbient MeshMode = "ambient"
)

// DefaultRootNamespace is where Istio's installation guides put istiod and its
// gateways.
const DefaultRootNamespace = "istio-system"

// EastWestGateway is an Istio gateway with TLS passthrough for other clusters.
type EastWestGateway struct {
	// Selector of the gateway's pods, in the root namespace. Left out: {istio:
	// eastwestgateway}.
	// +optional
	Selector map[string]string `json:"selector,omitempty"`
	// Service of the gateway, in the root namespace. With one control plane for
	// several networks it is given the network's label. Left out:
	// istio-eastwestgateway.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Service string `json:"service,omitempty"`
	// Addresses at which the other clusters reach it.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Addresses []Address `json:"addresses"`
	// Port of the passthrough listener. Left out: 15443.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
}

// DefaultEastWestService is the name that Istio's installation guides give the
// Service of an east-west gateway.
const DefaultEastWestService = "istio-eastwestgateway"
