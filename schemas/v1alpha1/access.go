// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Access says who may call a service. It holds on the governed ports and on no
// other; the kubelet's probes are never refused.
type Access struct {
	// Allow lists callers; one that meets any entry may call. Left out:
	// nobody may.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Allow []AccessRule `json:"allow"`
}

// AccessRule describes callers and what they may do. A request must meet every
// field that is set; an entry without any lets every caller of the set in.
type AccessRule struct {
	// Clusters that the caller runs in. Left out: any of the set.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Clusters []string `json:"clusters,omitempty"`
	// Namespaces that the caller runs in. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Namespaces []string `json:"namespaces,omitempty"`
	// ServiceAccounts that the caller runs as, of these names in any of the
	// namespaces, which are needed beside them. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`
	// PodLabels that the caller's pod has. Left out: any.
	// +optional
	PodLabels map[string]string `json:"podLabels,omitempty"`
	// Methods that the caller may use. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=9
	Methods []Method `json:"methods,omitempty"`
	// Paths that the caller may ask for, each exact or a prefix of whole
	// elements. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Paths []PathMatch `json:"paths,omitempty"`
	// Ports of the service that the caller may use. Left out: all governed ones.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	Ports []PortNumber `json:"ports,omitempty"`
}

// TLS says how connections to the service are secured.
type TLS struct {
	// Mode of the connections. Left out: auto.
	// +optional
	Mode TLSMode `json:"mode,omitempty"`
}

// TLSMode says how connections to a service are secured. auto leaves it to the
// provider: mutual TLS between pods of a mesh. mutual demands it: pods of the
// service refuse everything else. disable is clear text, for servers outside
// the mesh such as the API server.
//
// +kubebuilder:validation:Enum=auto;mutual;disable
type TLSMode string

// The modes.
const (
	TLSAuto    TLSMode = "auto"
	TLSMutual  TLSMode = "mutual"
	TLSDisable TLSMode = "disable"
)

// PortNumber is the number of a port, 1 to 65535.
//
// +kubebuilder:validation:Minimum=1
// +kubebuilder:validation:Maximum=65535
type PortNumber int32
