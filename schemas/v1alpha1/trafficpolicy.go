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
	// ClusterSet names the ClusterSet that the policy is for. It may be left
	// out where the repository has exactly one.
	// +optional
	ClusterSet string `json:"clusterSet,omitempty"`

	// Service is the service whose traffic is governed.
	Service ServiceReference `json:"service"`

	// Exports says which clusters offer the service. Left out: the clusters
	// that backends name; with neither, the clusters where a ServiceExport
	// exists already.
	// +optional
	Exports *Exports `json:"exports,omitempty"`

	// Imports says which clusters may call the service. Left out: every cluster.
	// +optional
	Imports *Imports `json:"imports,omitempty"`

	// Rules are tried in the order written; the first that matches is used.
	// The last one has no match. Left out: one rule without backends.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Rules []Rule `json:"rules,omitempty"`

	// Failover says when a backend that is partly unhealthy gives up a part of
	// its share.
	// +optional
	Failover *Failover `json:"failover,omitempty"`

	// Resilience says how failing endpoints are noticed.
	// +optional
	Resilience *Resilience `json:"resilience,omitempty"`

	// AcceptDegradations lists, by name and provider, the places where the
	// author accepts less than the policy means. Without it each is an error.
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
	// Ports that are governed. Left out: the ports of the Service, as the
	// inventory shows them, with the protocol that appProtocol or the port's
	// name tells, otherwise tcp.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	Ports []ServicePort `json:"ports,omitempty"`
}

// ServicePort is one port of a Service.
type ServicePort struct {
	// Port number of the Service, 1 to 65535.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// Protocol spoken on the port. Left out: tcp.
	// +optional
	Protocol Protocol `json:"protocol,omitempty"`
}

// Exports says which clusters offer the service.
type Exports struct {
	From ClusterSelector `json:"from"`
}

// Imports says which clusters may call the service.
type Imports struct {
	To ClusterSelector `json:"to"`
}

// ClusterSelector chooses clusters of the ClusterSet by name, by label, or
// both: the union of the two. An empty one chooses nothing and is an error.
type ClusterSelector struct {
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Clusters []string `json:"clusters,omitempty"`
	// MatchLabels chooses every cluster that has all of these labels.
	// +optional
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}

// Rule says where the requests that it matches go.
type Rule struct {
	// Name of the rule in diffs and messages. Left out: its place, from 0.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
	// Matches: a request matches the rule when it matches any one of these.
	// Left out: every request matches. Only for http and grpc ports.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Matches []Match `json:"matches,omitempty"`
	// Backends share the requests. Left out: every exporter, in tiers by
	// distance from the consumer: same cluster, same zone, same region, the rest.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Backends []Backend `json:"backends,omitempty"`
	// Timeout of a whole request, retries included. Left out: none.
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
	// Retries of a request that failed. Left out: the provider's default.
	// +optional
	Retries *Retries `json:"retries,omitempty"`
}

// Match is a set of conditions; a request must meet all of them.
type Match struct {
	// +optional
	Path *PathMatch `json:"path,omitempty"`
	// Headers that must all be there. Names are compared without case.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Headers []HeaderMatch `json:"headers,omitempty"`
	// Methods: the request has one of these. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=9
	Methods []Method `json:"methods,omitempty"`
}

// Method is an HTTP method, in capitals (RFC 9110).
//
// +kubebuilder:validation:Enum=GET;HEAD;POST;PUT;DELETE;CONNECT;OPTIONS;TRACE;PATCH
type Method string

// PathMatch compares the path of a request. Exactly one field is set.
type PathMatch struct {
	// Exact path, beginning with a slash.
	// +optional
	Exact string `json:"exact,omitempty"`
	// Prefix of whole path elements: /api matches /api and /api/x, not /apix.
	// +optional
	Prefix string `json:"prefix,omitempty"`
}

// HeaderMatch compares the value of one header.
type HeaderMatch struct {
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Exact value of the header.
	// +kubebuilder:validation:MinLength=1
	Exact string `json:"exact"`
}

// Backend is the service in one cluster, or a subset of its pods there.
type Backend struct {
	// Cluster that the pods are in.
	// +kubebuilder:validation:MinLength=1
	Cluster string `json:"cluster"`
	// Subset chooses the pods that have all of these labels. Left out: every
	// pod of the service.
	// +optional
	Subset map[string]string `json:"subset,omitempty"`
	// Weight inside the priority, relative to its siblings. Left out: 1.
	// Zero: no share.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Weight *int32 `json:"weight,omitempty"`
	// Priority: tiers are tried in ascending order, 0 first. A tier takes what
	// the tier before it could not keep.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	Priority int32 `json:"priority,omitempty"`
}

// Retries says how often and when a failed request is sent again.
type Retries struct {
	// Attempts after the first, 1 to 10.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	Attempts int32 `json:"attempts"`
	// PerTryTimeout of each attempt. Left out: the timeout of the rule.
	// +optional
	PerTryTimeout Duration `json:"perTryTimeout,omitempty"`
	// On lists what counts as failed. Left out: connect-failure and
	// refused-stream, which are safe for every request.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	On []RetryCondition `json:"on,omitempty"`
}

// RetryCondition is a way to fail that is worth another attempt.
//
// +kubebuilder:validation:Enum="5xx";gateway-error;reset;connect-failure;refused-stream;retriable-4xx
type RetryCondition string

// Failover says when a backend gives up a part of its share.
type Failover struct {
	// MinHealthy: a backend keeps its whole share while at least this
	// percentage of its endpoints is ready, and below it a proportional part.
	// Left out: 71%.
	// +optional
	MinHealthy Percent `json:"minHealthy,omitempty"`
}

// Resilience says how failing endpoints are noticed.
type Resilience struct {
	// OutlierDetection ejects endpoints that fail. Left out: the provider's
	// default where a failover needs one, otherwise none.
	// +optional
	OutlierDetection *OutlierDetection `json:"outlierDetection,omitempty"`
}

// OutlierDetection ejects an endpoint for a while after failures in a row.
type OutlierDetection struct {
	// Consecutive5xx responses that eject an endpoint. Left out: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Consecutive5xx int32 `json:"consecutive5xx,omitempty"`
	// Interval between two looks. Left out: 10s.
	// +optional
	Interval Duration `json:"interval,omitempty"`
	// BaseEjectionTime is multiplied by the number of ejections. Left out: 30s.
	// +optional
	BaseEjectionTime Duration `json:"baseEjectionTime,omitempty"`
	// MaxEjectionPercent of the endpoints that may be ejected at once, 1 to
	// 100. Left out: 50.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxEjectionPercent int32 `json:"maxEjectionPercent,omitempty"`
}

// AcceptedDegradation names one place where a provider may do less.
type AcceptedDegradation struct {
	// Name of the degradation, as the error that asked for it spells it.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Provider that may degrade.
	Provider EastWestProvider `json:"provider"`
}

// PolicyStatus is what became of a TrafficPolicy or a ClusterSet that lives in
// a cluster. In git it has no meaning and is refused.
type PolicyStatus struct {
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
