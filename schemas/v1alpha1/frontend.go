// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Frontend is a place where requests come in. It has either mesh or gateway.
type Frontend struct {
	// Mesh: the pods of the importing clusters, under the names of the service.
	// +optional
	Mesh *MeshFrontend `json:"mesh,omitempty"`
	// Gateway: requests from outside, at a gateway of the importing clusters.
	// +optional
	Gateway *GatewayFrontend `json:"gateway,omitempty"`
	// Hostnames at the gateway; the first label may be *. Required with gateway,
	// refused with mesh.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Hostnames []Hostname `json:"hostnames,omitempty"`
}

// MeshFrontend has no fields yet.
type MeshFrontend struct{}

// GatewayFrontend names a gateway: a Gateway of the Gateway API where the
// cluster's northSouth provider is envoy-gateway, one of Istio's where it is
// istio. The Gateway itself is the user's.
type GatewayFrontend struct {
	// Name of the Gateway.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Namespace of the Gateway. Left out: that of the policy.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// Listener of the Gateway, by name. Left out: every one that takes the
	// hostnames.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Listener string `json:"listener,omitempty"`
}

// Hostname is a DNS name in lower case whose first label may be *.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
type Hostname string
