// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TrafficPolicy says how the requests to one service are shared between
// clusters. Its namespace is the namespace of the service in every cluster
// (namespace sameness across the set, KEP-1645).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tp,categories=fairlead
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service.name`
// +kubebuilder:printcolumn:name="Cluster-Set",type=string,JSONPath=`.spec.clusterSet`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type TrafficPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TrafficPolicySpec `json:"spec"`
	// +optional
	Status PolicyStatus `json:"status,omitempty"`
}

// TrafficPolicyList is a list of policies.
//
// +kubebuilder:object:root=true
type TrafficPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TrafficPolicy `json:"items"`
}

// TrafficPolicySpec is what the author of a policy wants.
type TrafficPolicySpec struct {
	// ClusterSet names the ClusterSet that the policy is for. Left out: the only
	// one of the repository; with several it is required.
	// +optional
	ClusterSet string `json:"clusterSet,omitempty"`

	// Service is the service whose traffic is governed.
	Service ServiceReference `json:"service"`

	// Exports says which clusters offer the service. Left out: the clusters
	// that backends name; with neither, the clusters where a ServiceExport
	// exists already.
	// +optional
	Exports *Exports `json:"exports,omitempty"`

	// Imports says which clusters may call the service. Left out: every cluster
	// that the topology lets reach an exporter.
	// +optional
	Imports *Imports `json:"imports,omitempty"`

	// Frontends say where the requests come in that the rules are for. Left
	// out: the mesh, which is every pod of the importing clusters.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Frontends []Frontend `json:"frontends,omitempty"`

	// Rules are tried in the order written; the first that matches is used.
	// The last one has no match. Left out: one rule without backends.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Rules []Rule `json:"rules,omitempty"`

	// Failover says when a backend that is partly unhealthy gives up a part of
	// its share.
	// +optional
	Failover *Failover `json:"failover,omitempty"`

	// Resilience says how failing endpoints are noticed and how much is sent to
	// them.
	// +optional
	Resilience *Resilience `json:"resilience,omitempty"`

	// LoadBalancing says how one endpoint is chosen among those of a backend.
	// +optional
	LoadBalancing *LoadBalancing `json:"loadBalancing,omitempty"`

	// HealthCheck asks the endpoints themselves whether they are well. Left
	// out: readiness, as Kubernetes sees it.
	// +optional
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`

	// TLS says how the connections to the service are secured.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// Access says who may call the service. Left out: untouched, or nobody
	// where the ClusterSet's access.default is deny.
	// +optional
	Access *Access `json:"access,omitempty"`

	// AcceptDegradations lists, by name and provider, the places where the
	// author accepts less than the policy means. Left out: none, so that each is
	// an error.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	AcceptDegradations []AcceptedDegradation `json:"acceptDegradations,omitempty"`
}

// ServiceReference names a Service in the namespace of the policy.
type ServiceReference struct {
	// Name of the Service.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// Names under which the policy governs the service: cluster is
	// <name>.<namespace>.svc.cluster.local with its short forms, clusterset is
	// the same under the domain of the ClusterSet. Left out: both where the
	// provider can, which is Istio and Cilium; clusterset alone with fairlead.
	// +optional
	// +kubebuilder:validation:MaxItems=2
	Names []ServiceName `json:"names,omitempty"`
	// Ports that are governed. Left out: the ports of the Service, as the
	// inventory shows them, with the protocol that appProtocol or the port's
	// name tells, otherwise tcp.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	Ports []ServicePort `json:"ports,omitempty"`
}

// ServiceName is a family of DNS names.
//
// +kubebuilder:validation:Enum=clusterset;cluster
type ServiceName string

// The families of names.
const (
	NameClusterSet ServiceName = "clusterset"
	NameCluster    ServiceName = "cluster"
)

// ServicePort is one port of a Service.
type ServicePort struct {
	// Port number of the Service, 1 to 65535.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// Protocol spoken on the port, whatever the Service says of it. Left out: tcp.
	// +optional
	Protocol Protocol `json:"protocol,omitempty"`
}

// Exports says which clusters offer the service.
type Exports struct {
	// From these clusters.
	From ClusterSelector `json:"from"`
}

// Imports says which clusters may call the service.
type Imports struct {
	// To these clusters.
	To ClusterSelector `json:"to"`
}

// ClusterSelector chooses clusters of the ClusterSet by name, by label, or
// both: the union of the two. An empty one chooses nothing and is an error.
type ClusterSelector struct {
	// Clusters by name. Left out: none by name.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Clusters []string `json:"clusters,omitempty"`
	// MatchLabels chooses every cluster that has all of these labels. Left out:
	// none by label.
	// +optional
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}

// AcceptedDegradation names one place where a provider may do less.
type AcceptedDegradation struct {
	// Name of the degradation, as the error that asked for it spells it.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Provider that may degrade.
	Provider Provider `json:"provider"`
}

// PolicyStatus is what became of a TrafficPolicy or a ClusterSet that lives in
// a cluster. In git it has no meaning and is refused.
type PolicyStatus struct {
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
