// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ServiceRoute is what one policy asks of the agents of one cluster: the
// clusterset IPs under which pods reach the service, and the export addresses
// under which other clusters reach this cluster's part of it. It has the name
// and the namespace of its policy.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sr,categories=fairlead
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service`
// +kubebuilder:printcolumn:name="Clusterset-IP",type=string,JSONPath=`.spec.import.addresses[*]`
// +kubebuilder:printcolumn:name="Export-Address",type=string,JSONPath=`.spec.export.addresses[*]`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ServiceRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ServiceRouteSpec `json:"spec"`
	// +optional
	Status ServiceRouteStatus `json:"status,omitempty"`
}

// ServiceRouteStatus is empty: what each node made of the route is in its
// NodeState.
type ServiceRouteStatus struct{}

// ServiceRouteList is a list of service routes.
//
// +kubebuilder:object:root=true
type ServiceRouteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ServiceRoute `json:"items"`
}

// ServiceRouteSpec is one service in one cluster.
type ServiceRouteSpec struct {
	// Service in the namespace of the route.
	Service string `json:"service"`
	// Ports of the service.
	// +kubebuilder:validation:MinItems=1
	Ports []RoutePort `json:"ports"`
	// Import is there where the cluster's pods may call the service.
	// +optional
	Import *RouteImport `json:"import,omitempty"`
	// Export is there where the cluster offers the service.
	// +optional
	Export *RouteExport `json:"export,omitempty"`
}

// RoutePort is one port of the service.
type RoutePort struct {
	// Name of the Service's port, by which EndpointSlices name it too; empty
	// for the only, unnamed port.
	// +optional
	Name string `json:"name,omitempty"`
	// Port number of the service.
	Port int32 `json:"port"`
	// Transport of the port.
	Transport Transport `json:"transport"`
}

// RouteImport says where new connections to the clusterset IPs go.
type RouteImport struct {
	// Addresses: the clusterset IPs, one per IP family.
	// +kubebuilder:validation:MinItems=1
	Addresses []Address `json:"addresses"`
	// MinHealthy: a backend with fewer ready endpoints than this percentage
	// keeps only a proportional part of its share. 1 to 100.
	MinHealthy int32 `json:"minHealthy"`
	// FailbackDelay: the health of a backend counts as its lowest value of this
	// last while, as far back as the agent runs. Left out: health counts at once.
	// +optional
	FailbackDelay Duration `json:"failbackDelay,omitempty"`
	// Tiers, best first. A tier takes what the tier before it could not keep.
	// +kubebuilder:validation:MinItems=1
	Tiers []RouteTier `json:"tiers"`
}

// RouteTier is a set of backends that share by weight.
type RouteTier struct {
	// +kubebuilder:validation:MinItems=1
	Backends []RouteBackend `json:"backends"`
}

// RouteBackend is the service in one cluster.
type RouteBackend struct {
	// Cluster of the endpoints. Where it is the route's own, the endpoints are
	// the ready local ones of the service.
	Cluster string `json:"cluster"`
	// Weight relative to the tier's other backends; zero: no share.
	Weight int32 `json:"weight"`
	// Address is the export address of another cluster; empty for the route's
	// own.
	// +optional
	Address Address `json:"address,omitempty"`
}

// RouteExport says under which addresses other clusters reach the service.
type RouteExport struct {
	// Addresses from this cluster's global CIDR. Gateways translate them to the
	// ready local endpoints.
	// +kubebuilder:validation:MinItems=1
	Addresses []Address `json:"addresses"`
}
