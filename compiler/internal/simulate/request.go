// SPDX-License-Identifier: Apache-2.0

package simulate

import "strings"

// Request is one request or, where the scheme has no requests, one connection.
type Request struct {
	From Caller
	// Scheme is http, https, grpc, tls, tcp or udp.
	Scheme string
	// Host as the caller writes it: short, with the namespace, or whole.
	Host string
	Port int32
	// Method, Path, Headers and Query are of requests only. Names of headers are
	// in small letters.
	Method, Path   string
	Headers, Query map[string]string
}

// L7 tells whether it is a request rather than a connection.
func (r Request) L7() bool { return r.Scheme == "http" || r.Scheme == "grpc" }

// Caller is a pod that calls.
type Caller struct {
	Cluster, Namespace string
	// Account is the service account, Labels the labels of the pod.
	Account string
	Labels  map[string]string
	// Gateway: the request comes from outside to a gateway of this name in the
	// namespace; empty for a pod.
	Gateway string
}

// name is a host that stands for a Service.
type name struct {
	namespace, service string
	// clusterSet: it is the name in the whole set rather than in one cluster.
	clusterSet bool
}

// localDomain is the domain of every cluster's own Services.
const localDomain = "cluster.local"

// parse finds the Service that a host stands for, in a namespace whose pods may
// leave parts of the name out (Kubernetes' DNS specification), and in a set
// with a domain of its own.
func parse(host, namespace, domain string) (name, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if rest, ok := strings.CutSuffix(host, ".svc."+domain); ok {
		return split(rest, true)
	}
	if rest, ok := strings.CutSuffix(host, ".svc."+localDomain); ok {
		return split(rest, false)
	}
	if rest, ok := strings.CutSuffix(host, ".svc"); ok {
		return split(rest, false)
	}
	if !strings.Contains(host, ".") {
		return name{namespace: namespace, service: host}, host != ""
	}
	return split(host, false)
}

// split reads service.namespace.
func split(text string, clusterSet bool) (name, bool) {
	service, namespace, ok := strings.Cut(text, ".")
	if !ok || service == "" || namespace == "" || strings.Contains(namespace, ".") {
		return name{}, false
	}
	return name{namespace: namespace, service: service, clusterSet: clusterSet}, true
}
