// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"strings"
)

// What is read of the objects of the Gateway API and of Envoy Gateway; their own
// Go types would bring in a controller.
type (
	objectMeta struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	}
	route struct {
		Kind     string     `json:"kind"`
		Metadata objectMeta `json:"metadata"`
		Spec     struct {
			ParentRefs []parentRef `json:"parentRefs"`
			Hostnames  []string    `json:"hostnames"`
			Rules      []routeRule `json:"rules"`
		} `json:"spec"`
	}
	parentRef struct {
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		SectionName string `json:"sectionName"`
	}
	routeRule struct {
		Name        string       `json:"name"`
		Matches     []routeMatch `json:"matches"`
		Filters     []filter     `json:"filters"`
		BackendRefs []backendRef `json:"backendRefs"`
		Timeouts    struct {
			Request string `json:"request"`
		} `json:"timeouts"`
		SessionPersistence *struct {
			Type            string `json:"type"`
			SessionName     string `json:"sessionName"`
			AbsoluteTimeout string `json:"absoluteTimeout"`
		} `json:"sessionPersistence"`
	}
	routeMatch struct {
		Path    typedValue   `json:"path"`
		Headers []typedValue `json:"headers"`
		Query   []typedValue `json:"queryParams"`
		// Method is a text in an HTTPRoute, and a service and a method in a
		// GRPCRoute.
		Method json.RawMessage `json:"method"`
	}
	typedValue struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	backendRef struct {
		Group     *string `json:"group"`
		Kind      string  `json:"kind"`
		Namespace string  `json:"namespace"`
		Name      string  `json:"name"`
		Port      int32   `json:"port"`
		Weight    *int64  `json:"weight"`
	}
	nameValue struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	headerFilter struct {
		Set    []nameValue `json:"set"`
		Add    []nameValue `json:"add"`
		Remove []string    `json:"remove"`
	}
	pathFilter struct {
		Type               string `json:"type"`
		ReplaceFullPath    string `json:"replaceFullPath"`
		ReplacePrefixMatch string `json:"replacePrefixMatch"`
	}
	filter struct {
		Type                   string        `json:"type"`
		RequestHeaderModifier  *headerFilter `json:"requestHeaderModifier"`
		ResponseHeaderModifier *headerFilter `json:"responseHeaderModifier"`
		RequestRedirect        *struct {
			Scheme     string      `json:"scheme"`
			Hostname   string      `json:"hostname"`
			Port       int32       `json:"port"`
			Path       *pathFilter `json:"path"`
			StatusCode int32       `json:"statusCode"`
		} `json:"requestRedirect"`
		URLRewrite *struct {
			Hostname string      `json:"hostname"`
			Path     *pathFilter `json:"path"`
		} `json:"urlRewrite"`
		RequestMirror *struct {
			BackendRef backendRef `json:"backendRef"`
			Percent    *int64     `json:"percent"`
		} `json:"requestMirror"`
		ExtensionRef *objectMeta `json:"extensionRef"`
	}
	fallbackBackend struct {
		Spec struct {
			Fallback  bool `json:"fallback"`
			Endpoints []struct {
				IP *struct {
					Address string `json:"address"`
					Port    int32  `json:"port"`
				} `json:"ip"`
			} `json:"endpoints"`
		} `json:"spec"`
	}
	routeFilter struct {
		Spec struct {
			DirectResponse *struct {
				StatusCode int32 `json:"statusCode"`
				Body       struct {
					Inline string `json:"inline"`
				} `json:"body"`
			} `json:"directResponse"`
		} `json:"spec"`
	}
	targetRef struct {
		Kind        string `json:"kind"`
		Name        string `json:"name"`
		SectionName string `json:"sectionName"`
	}
)

// carries tells whether a route is of such requests or connections. TLS is also
// a stream of bytes.
func (r route) carries(q Request) bool {
	switch r.Kind {
	case "HTTPRoute", "GRPCRoute":
		return q.L7()
	case "UDPRoute":
		return q.Scheme == "udp"
	case "TLSRoute":
		return q.Scheme == "tls" || q.Scheme == "https"
	}
	return !q.L7() && q.Scheme != "udp"
}

// takes tells whether a request meets a match.
func (m routeMatch) takes(kind string, r Request) bool {
	switch m.Path.Type {
	case "Exact":
		if r.Path != m.Path.Value {
			return false
		}
	case "RegularExpression":
		if !whole(m.Path.Value, r.Path) {
			return false
		}
	default:
		stem := strings.TrimRight(m.Path.Value, "/")
		if r.Path != stem && !strings.HasPrefix(r.Path, stem+"/") {
			return false
		}
	}
	for _, h := range m.Headers {
		if v, ok := r.Headers[strings.ToLower(h.Name)]; !ok || !h.is(v) {
			return false
		}
	}
	for _, q := range m.Query {
		if v, ok := r.Query[q.Name]; !ok || !q.is(v) {
			return false
		}
	}
	return len(m.Method) == 0 || m.method(kind, r)
}

// method compares the method, which for gRPC is a part of the path.
func (m routeMatch) method(kind string, r Request) bool {
	if kind == "HTTPRoute" {
		var want string
		return json.Unmarshal(m.Method, &want) == nil && want == r.Method
	}
	var want struct{ Service, Method string }
	if json.Unmarshal(m.Method, &want) != nil {
		return false
	}
	service, method, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	return (want.Service == "" || want.Service == service) && (want.Method == "" || want.Method == method)
}

// is compares a value; exactly where nothing else is said.
func (v typedValue) is(text string) bool {
	if v.Type == "RegularExpression" {
		return whole(v.Value, text)
	}
	return v.Value == text
}

// rank is how specific a match is. A method of HTTP counts as a header.
func (m routeMatch) rank(kind string) []int {
	path, length := 0, len(m.Path.Value)
	switch m.Path.Type {
	case "Exact":
		path = 2
	case "RegularExpression":
		path = 1
	default:
		if m.Path.Value == "/" {
			length = 0
		}
	}
	headers, exact := len(m.Headers), 0
	for _, h := range m.Headers {
		if h.Type != "RegularExpression" {
			exact++
		}
	}
	if len(m.Method) > 0 {
		if kind == "HTTPRoute" {
			headers, exact = headers+1, exact+1
		} else {
			path, length = 2, len(m.Method)
		}
	}
	params := 0
	for _, q := range m.Query {
		if q.Type != "RegularExpression" {
			params++
		}
	}
	return []int{path, length, headers, exact, len(m.Query), params}
}
