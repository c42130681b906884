// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler"
)

// gatewayOf is the Gateway that compiled routes are for.
const gatewayOf = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: %s}
spec:
  gatewayClassName: eg
  listeners:
`

// listenerKinds are listeners for each kind of route, with the port that tests
// call.
var listenerKinds = map[string]string{
	"HTTPRoute": "protocol: HTTP, port: 80", "TCPRoute": "protocol: TCP, port: 6379",
	"TLSRoute": "protocol: TLS, port: 443, tls: {mode: Passthrough}", "UDPRoute": "protocol: UDP, port: 53",
}

// Gateway makes a Gateway with a listener for each kind of route, for routes of
// every namespace. Names are those that routes ask for, by kind; routes of gRPC
// share the listener of HTTP.
func (s *Server) Gateway(t testing.TB, namespace, name string, names map[string]string) {
	t.Helper()
	s.Namespace(t, namespace)
	text := fmt.Sprintf(gatewayOf, name, namespace)
	for _, kind := range slices.Sorted(maps.Keys(listenerKinds)) {
		text += fmt.Sprintf("  - {name: %s, %s, allowedRoutes: {namespaces: {from: All}}}\n", cmp.Or(names[kind], strings.ToLower(kind)), listenerKinds[kind])
	}
	s.ApplyYAML(t, text)
}

// Exports maps the name of a part to the cluster that has it and its export
// address, as the bundles of a result say.
func Exports(r compiler.Result) map[string]Exporter {
	out := map[string]Exporter{}
	for _, b := range r.Bundles {
		for _, o := range b.Objects() {
			u := o.Unstructured()
			if u.GetKind() != "ServiceRoute" {
				continue
			}
			addresses, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "export", "addresses")
			if len(addresses) > 0 {
				out[u.GetNamespace()+"/"+u.GetName()] = Exporter{Cluster: b.Store, Address: addresses[0], Ready: true}
			}
		}
	}
	return out
}

// ApplyResult applies what was compiled for one cluster, with the endpoints of
// its imports, and waits until Envoy Gateway accepts all of it. Services of the
// cluster without pods are what a route may lack.
func (s *Server) ApplyResult(t testing.TB, r compiler.Result, store string, lacking bool) {
	t.Helper()
	for _, b := range r.Bundles {
		if b.Store != store {
			continue
		}
		s.prepareFor(t, b)
		s.FeedAll(t, r, store)
		s.ApplyBundle(t, b)
		var all []*unstructured.Unstructured
		for _, o := range b.Objects() {
			all = append(all, o.Unstructured())
		}
		if lacking {
			s.acceptedBut(t, "EndpointsNotFound", all...)
		} else {
			s.Accepted(t, all...)
		}
	}
}

// nowhere is an address that nobody has (RFC 5737).
const nowhere = "192.0.2.254"

// FeedAll gives the imports of a cluster their endpoints, as when other clusters
// are lost.
func (s *Server) FeedAll(t testing.TB, r compiler.Result, store string, lost ...string) {
	t.Helper()
	exports := Exports(r)
	for _, b := range r.Bundles {
		if b.Store != store {
			continue
		}
		for _, o := range b.Objects() {
			u := o.Unstructured()
			from, ok := exports[u.GetNamespace()+"/"+u.GetName()]
			if u.GetKind() != "ServiceImport" || from.Cluster == store {
				continue
			}
			if !ok {
				// Nobody exports it yet: its share is known to be lost.
				from = Exporter{Cluster: "nobody", Address: nowhere}
			}
			from.Ready = ok && !slices.Contains(lost, from.Cluster)
			s.Feed(t, u, from)
		}
	}
}

// Pods are the endpoints of one Service at one kind of pods.
type Pods struct {
	Addresses []string
	// Ready is how many of them are, from the first.
	Ready int
}

// Serve makes a Service of the gateway's own cluster, or makes its endpoints
// what is given.
func (s *Server) Serve(t testing.TB, service *unstructured.Unstructured, pods ...Pods) {
	t.Helper()
	s.Namespace(t, service.GetNamespace())
	s.Apply(t, service)
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	var out, endpoints []any
	for _, p := range ports {
		port := p.(map[string]any)
		out = append(out, map[string]any{"name": port["name"], "port": cmp.Or(asNumber(port["targetPort"]), asNumber(port["port"])), "protocol": port["protocol"]})
	}
	for _, kind := range pods {
		for i, address := range kind.Addresses {
			endpoints = append(endpoints, map[string]any{"addresses": []any{address}, "conditions": map[string]any{"ready": i < kind.Ready}})
		}
	}
	slice := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": map[string]any{"namespace": service.GetNamespace(), "name": service.GetName() + "-local",
			"labels": map[string]any{"kubernetes.io/service-name": service.GetName()}},
		"ports": out, "endpoints": endpoints,
	}}
	s.Apply(t, slice)
	s.made = append(s.made, slice)
}

// asNumber reads a number of JSON or YAML; zero for anything else.
func asNumber(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}
