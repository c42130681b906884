// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Redirect answers a request with the place to ask instead. What is left out
// stays as it was in the request.
type Redirect struct {
	// Scheme of the new place, http or https. Left out: that of the request.
	// +optional
	// +kubebuilder:validation:Enum=http;https
	Scheme string `json:"scheme,omitempty"`
	// Hostname of the new place. Left out: that of the request.
	// +optional
	Hostname Hostname `json:"hostname,omitempty"`
	// Port of the new place. Left out: the usual one of a scheme that is given,
	// otherwise that of the request.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// Path of the new place.
	// +optional
	Path *PathChange `json:"path,omitempty"`
	// Status of the answer: 301, 302, 303, 307 or 308. Left out: 302.
	// +optional
	// +kubebuilder:validation:Minimum=301
	// +kubebuilder:validation:Maximum=308
	Status int32 `json:"status,omitempty"`
}

// PathChange replaces the path of a request. Exactly one field is set.
type PathChange struct {
	// Full replaces the whole path.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Full string `json:"full,omitempty"`
	// Prefix replaces the prefix that the rule matched; every match of the rule
	// then has a path prefix.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Prefix string `json:"prefix,omitempty"`
}

// DirectResponse answers a request without asking a backend.
type DirectResponse struct {
	// Status code, 200 to 599 (RFC 9110).
	// +kubebuilder:validation:Minimum=200
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status"`
	// Body as text. Left out: empty.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Body string `json:"body,omitempty"`
}

// Rewrite changes a request before it is sent on. What is left out stays.
type Rewrite struct {
	// Hostname that the backend sees as the authority. Left out: that of the
	// request.
	// +optional
	Hostname Hostname `json:"hostname,omitempty"`
	// Path that the backend sees.
	// +optional
	Path *PathChange `json:"path,omitempty"`
}

// HeaderChanges are made in the order set, add, remove.
type HeaderChanges struct {
	// Set replaces every value of a header, or adds the header. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Set []Header `json:"set,omitempty"`
	// Add adds a value and leaves those that are there. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Add []Header `json:"add,omitempty"`
	// Remove takes headers away, by name. Left out: none.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Remove []string `json:"remove,omitempty"`
}

// Header is a name and a value.
type Header struct {
	// Name of the header, a token by RFC 9110.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// Value as it stands; nothing in it is replaced.
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value"`
}

// Mirror sends a copy of requests to a backend.
type Mirror struct {
	// Backend that gets the copies. It has neither weight nor priority.
	Backend Backend `json:"backend"`
	// Percent of the requests that are copied. Left out: 100%.
	// +optional
	Percent Percent `json:"percent,omitempty"`
}

// Faults are injected before a request is sent on; the delay first.
type Faults struct {
	// Delay holds requests back.
	// +optional
	Delay *DelayFault `json:"delay,omitempty"`
	// Abort answers requests with an error.
	// +optional
	Abort *AbortFault `json:"abort,omitempty"`
}

// DelayFault holds requests back for a while.
type DelayFault struct {
	// Duration of the delay.
	Duration Duration `json:"duration"`
	// Percent of the requests. Left out: 100%.
	// +optional
	Percent Percent `json:"percent,omitempty"`
}

// AbortFault answers with an error. Exactly one of status and grpcStatus is set.
type AbortFault struct {
	// Status code of HTTP, 400 to 599.
	// +optional
	// +kubebuilder:validation:Minimum=400
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// GRPCStatus by name, such as UNAVAILABLE (the gRPC status codes).
	// +optional
	// +kubebuilder:validation:Enum=CANCELLED;UNKNOWN;INVALID_ARGUMENT;DEADLINE_EXCEEDED;NOT_FOUND;ALREADY_EXISTS;PERMISSION_DENIED;RESOURCE_EXHAUSTED;FAILED_PRECONDITION;ABORTED;OUT_OF_RANGE;UNIMPLEMENTED;INTERNAL;UNAVAILABLE;DATA_LOSS;UNAUTHENTICATED
	GRPCStatus string `json:"grpcStatus,omitempty"`
	// Percent of the requests. Left out: 100%.
	// +optional
	Percent Percent `json:"percent,omitempty"`
}

// CORS is cross-origin resource sharing (the Fetch standard).
type CORS struct {
	// AllowOrigins that may call: a scheme and a host such as
	// https://www.example.com, or * for every one.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	AllowOrigins []StringMatch `json:"allowOrigins"`
	// AllowMethods of the calls. Left out: those that need no permission (GET,
	// HEAD, POST).
	// +optional
	// +kubebuilder:validation:MaxItems=9
	AllowMethods []Method `json:"allowMethods,omitempty"`
	// AllowHeaders of the calls. Left out: those that need no permission.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	AllowHeaders []string `json:"allowHeaders,omitempty"`
	// ExposeHeaders of the response to the page. Left out: those that need no
	// permission.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	ExposeHeaders []string `json:"exposeHeaders,omitempty"`
	// AllowCredentials: cookies and the like may be sent. Left out: false.
	// +optional
	AllowCredentials bool `json:"allowCredentials,omitempty"`
	// MaxAge for which the browser may remember the answer. Left out: the
	// browser's own.
	// +optional
	MaxAge Duration `json:"maxAge,omitempty"`
}

// RateLimit refuses requests above a rate with status 429. Each proxy counts
// for itself.
type RateLimit struct {
	// Requests that are let through in each period.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Requests int32 `json:"requests"`
	// Per is the period.
	// +kubebuilder:validation:Enum=second;minute;hour
	Per string `json:"per"`
}

// SessionAffinity keeps a caller at one endpoint while it is well. Exactly one
// field is set.
type SessionAffinity struct {
	// Cookie that tells callers apart; the proxy sets it.
	// +optional
	Cookie *AffinityCookie `json:"cookie,omitempty"`
	// Header that tells callers apart, by name.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Header string `json:"header,omitempty"`
	// SourceIP: callers are told apart by their address. Only true.
	// +optional
	SourceIP bool `json:"sourceIP,omitempty"`
}

// AffinityCookie is a cookie that a proxy sets.
type AffinityCookie struct {
	// Name of the cookie, a token by RFC 6265.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// TTL after which the browser forgets it. Left out: when it is closed.
	// +optional
	TTL Duration `json:"ttl,omitempty"`
	// Path for which it is sent. Left out: /.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`
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
	// refused-stream, which are safe for every request. Programs that read YAML
	// 1.1, kubectl among them, take the bare key for true; quotes are right for
	// all.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	On []RetryCondition `json:"on,omitempty"`
}

// RetryCondition is a way to fail that is worth another attempt.
//
// +kubebuilder:validation:Enum="5xx";gateway-error;reset;connect-failure;refused-stream;retriable-4xx
type RetryCondition string
