// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TrafficTest says what requests must get. It is tried against the policies
// beside it in every dry run and by "fairlead test"; nothing is written to any
// cluster for it, and no request is made.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=tt,categories=fairlead
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type TrafficTest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TrafficTestSpec `json:"spec"`
}

// TrafficTestList is a list of traffic tests.
//
// +kubebuilder:object:root=true
type TrafficTestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TrafficTest `json:"items"`
}

// TrafficTestSpec has cases, loads, or both.
type TrafficTestSpec struct {
	// Cases are single requests and what becomes of them. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Cases []TrafficCase `json:"cases,omitempty"`
	// Loads are rates of requests and what clusters can bear, tried with every
	// cluster there and with each single one lost. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Loads []Load `json:"loads,omitempty"`
}

// TrafficCase is one request and what must become of it.
type TrafficCase struct {
	// Name of the case in messages.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// From is the caller.
	From Caller `json:"from"`
	// Request that the caller makes.
	Request TestRequest `json:"request"`
	// Lost are clusters in which nothing answers. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	Lost []string `json:"lost,omitempty"`
	// Healthy says of which pods only a part is ready. Left out: all are.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Healthy []HealthyPart `json:"healthy,omitempty"`
	// Expect is what must become of the request.
	Expect Expectation `json:"expect"`
}

// Caller is who makes requests: a pod, or somebody outside at a gateway. It has
// either workload or gateway.
type Caller struct {
	// Cluster of the pod, or of the gateway.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Cluster string `json:"cluster"`
	// Namespace of the pod, or of the gateway.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// Workload: a Service whose pods call, or a service account.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Workload string `json:"workload,omitempty"`
	// Labels of the pod. Left out: those of the Service's pods, and none where
	// there is no such Service.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Gateway where requests from outside come in, by its name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Gateway string `json:"gateway,omitempty"`
}

// TestRequest is a request as a caller makes it.
type TestRequest struct {
	// Method of HTTP. Left out: GET.
	// +optional
	Method Method `json:"method,omitempty"`
	// URL with a scheme: http, https, grpc, tls, tcp or udp.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url"`
	// Headers of the request. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	Headers []Header `json:"headers,omitempty"`
}

// HealthyPart says how many of some pods are ready.
type HealthyPart struct {
	// Cluster of the pods.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Cluster string `json:"cluster"`
	// Namespace of the service. Left out: the caller's.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// Service of the pods.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Service string `json:"service"`
	// Subset of the pods, by their labels. Left out: all.
	// +optional
	Subset map[string]string `json:"subset,omitempty"`
	// Percent of them that is ready.
	Percent Percent `json:"percent"`
}

// Expectation is what must become of a request.
type Expectation struct {
	// Verdict: served by pods; refused, because the caller may not (403);
	// noRoute, because no rule and no name matches (404); unreachable, because
	// nobody is left (503); redirected; or directResponse, by the rule itself.
	// +kubebuilder:validation:Enum=served;refused;noRoute;unreachable;redirected;directResponse
	Verdict string `json:"verdict"`
	// Shares of those who serve such requests; who is not listed serves none.
	// Left out: not looked at.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Shares []ExpectedShare `json:"shares,omitempty"`
	// Within how much of 100% each share must be met. Left out: 1%.
	// +optional
	Within Percent `json:"within,omitempty"`
}

// ExpectedShare is the part of requests that some pods must serve.
type ExpectedShare struct {
	// Cluster of the pods.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Cluster string `json:"cluster"`
	// Service of the pods. Left out: whatever service it is.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Service string `json:"service,omitempty"`
	// Subset of the pods. Left out: all subsets together.
	// +optional
	Subset map[string]string `json:"subset,omitempty"`
	// Percent of all such requests.
	Percent Percent `json:"percent"`
}

// Load is how much is asked of a service, and how much clusters can bear.
type Load struct {
	// Name of the load in messages.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Request that is made.
	Request TestRequest `json:"request"`
	// Calls by caller. Those of a lost cluster are lost too.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Calls []Calls `json:"calls"`
	// Capacities: with no cluster lost and with each single one, no one may get
	// more, and every request must be served. A cluster that is not listed can
	// bear everything.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Capacities []Capacity `json:"capacities"`
}

// Calls is how often a caller asks.
type Calls struct {
	// From is the caller.
	From Caller `json:"from"`
	// PerSecond: requests per second.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	PerSecond int32 `json:"perSecond"`
}

// Capacity is how much some pods can bear.
type Capacity struct {
	// Cluster of the pods.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Cluster string `json:"cluster"`
	// Subset of the pods. Left out: all of the cluster.
	// +optional
	Subset map[string]string `json:"subset,omitempty"`
	// PerSecond: requests per second.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	PerSecond int32 `json:"perSecond"`
}
