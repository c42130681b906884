// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Match is a set of conditions; a request must meet all of them.
type Match struct {
	// Path of the request, without the query.
	// +optional
	Path *PathMatch `json:"path,omitempty"`
	// Headers that must all match. Names are compared without case. Left out:
	// any.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Headers []HeaderMatch `json:"headers,omitempty"`
	// Methods: the request has one of these. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=9
	Methods []Method `json:"methods,omitempty"`
	// Query parameters that must all match. Names are compared with case. Left
	// out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Query []QueryMatch `json:"query,omitempty"`
	// Authority of the request: the Host header without the port.
	// +optional
	Authority *StringMatch `json:"authority,omitempty"`
	// Source of the request. Only in the mesh.
	// +optional
	Source *SourceMatch `json:"source,omitempty"`
}

// Method is an HTTP method, in capitals (RFC 9110).
//
// +kubebuilder:validation:Enum=GET;HEAD;POST;PUT;DELETE;CONNECT;OPTIONS;TRACE;PATCH
type Method string

// PathMatch compares the path of a request. Exactly one field is set.
type PathMatch struct {
	// Exact path, beginning with a slash.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Exact string `json:"exact,omitempty"`
	// Prefix of whole path elements: /api matches /api and /api/x, not /apix.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Prefix string `json:"prefix,omitempty"`
	// Regex in RE2 syntax that the whole path matches.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Regex string `json:"regex,omitempty"`
}

// StringMatch compares a text. Exactly one field is set.
type StringMatch struct {
	// Exact text.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Exact string `json:"exact,omitempty"`
	// Prefix of the text.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Prefix string `json:"prefix,omitempty"`
	// Regex in RE2 syntax that the whole text matches.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Regex string `json:"regex,omitempty"`
}

// HeaderMatch compares the value of one header. Exactly one of exact, prefix,
// regex and present is set.
type HeaderMatch struct {
	// Name of the header.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// Exact value of the header.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Exact string `json:"exact,omitempty"`
	// Prefix of the value.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Prefix string `json:"prefix,omitempty"`
	// Regex in RE2 syntax that the whole value matches.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Regex string `json:"regex,omitempty"`
	// Present: true when the header must be there with any value, false when it
	// must not be there.
	// +optional
	Present *bool `json:"present,omitempty"`
}

// QueryMatch compares one parameter of the query. Exactly one of exact and
// regex is set.
type QueryMatch struct {
	// Name of the parameter.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// Exact value.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Exact string `json:"exact,omitempty"`
	// Regex in RE2 syntax that the whole value matches.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Regex string `json:"regex,omitempty"`
}

// SourceMatch tells callers apart by where they run. A caller must meet every
// field that is set.
type SourceMatch struct {
	// Namespaces: the caller is in one of these. Left out: any.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	Namespaces []string `json:"namespaces,omitempty"`
	// Labels: the caller's pod has all of these. Left out: any.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
}
