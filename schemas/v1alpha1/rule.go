// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Rule says what becomes of the requests that it matches: they go to backends,
// or are answered at once by redirect or directResponse.
type Rule struct {
	// Name of the rule in diffs and messages. Left out: its place, from 0.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
	// Matches: a request matches the rule when it matches any one of these.
	// Left out: every request matches. Only for http and grpc ports, and for
	// the server name of tls ports at a gateway.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Matches []Match `json:"matches,omitempty"`
	// Backends share the requests. Left out: every exporter, in tiers by
	// distance from the consumer: same cluster, same zone, same region, the rest.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Backends []Backend `json:"backends,omitempty"`
	// Redirect answers with the place to ask instead.
	// +optional
	Redirect *Redirect `json:"redirect,omitempty"`
	// DirectResponse answers with a fixed status and body.
	// +optional
	DirectResponse *DirectResponse `json:"directResponse,omitempty"`
	// Rewrite changes the request before it is sent on.
	// +optional
	Rewrite *Rewrite `json:"rewrite,omitempty"`
	// RequestHeaders are changed before the request is sent on.
	// +optional
	RequestHeaders *HeaderChanges `json:"requestHeaders,omitempty"`
	// ResponseHeaders are changed before the response is given back.
	// +optional
	ResponseHeaders *HeaderChanges `json:"responseHeaders,omitempty"`
	// Timeout of a whole request, retries included. Left out: that of the
	// ClusterSet's defaults, otherwise none.
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
	// Retries of a request that failed. Left out: those of the ClusterSet's
	// defaults, otherwise none.
	// +optional
	Retries *Retries `json:"retries,omitempty"`
	// Mirror sends a copy of requests to another backend and ignores what it
	// answers.
	// +optional
	Mirror *Mirror `json:"mirror,omitempty"`
	// Faults are injected on purpose, to test what callers do about them.
	// +optional
	Faults *Faults `json:"faults,omitempty"`
	// CORS answers browsers that ask whether a page of another origin may call.
	// +optional
	CORS *CORS `json:"cors,omitempty"`
	// RateLimit refuses requests above a rate.
	// +optional
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
	// SessionAffinity keeps a caller at the endpoint that it had before.
	// +optional
	SessionAffinity *SessionAffinity `json:"sessionAffinity,omitempty"`
}

// Backend is a service in one cluster, or a subset of its pods there.
type Backend struct {
	// Cluster that the pods are in.
	// +kubebuilder:validation:MinLength=1
	Cluster string `json:"cluster"`
	// Service by name. Left out: the service of the policy. Another one must be
	// exported from the cluster by a policy of its own.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Service string `json:"service,omitempty"`
	// Namespace of that service. Left out: that of the policy.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
	// Port of that service. Left out: the port that was called.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
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
	// the tier before it could not keep. Left out: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	Priority int32 `json:"priority,omitempty"`
}

// Failover says when a backend gives up a part of its share, and when it gets
// it back.
type Failover struct {
	// MinHealthy: a backend keeps its whole share while at least this
	// percentage of its endpoints is ready, and below it a proportional part.
	// Left out: that of the ClusterSet's defaults, otherwise 71%.
	// +optional
	MinHealthy Percent `json:"minHealthy,omitempty"`
	// FailbackDelay: the health of a backend counts as its lowest value of this
	// last while. Left out: that of the ClusterSet's defaults, otherwise none.
	// +optional
	FailbackDelay Duration `json:"failbackDelay,omitempty"`
}
