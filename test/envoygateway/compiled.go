// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// gatewayWithAll is the Gateway that compiled routes are for: one listener of each
// kind, for routes of every namespace.
const gatewayWithAll = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: %s}
spec:
  gatewayClassName: eg
  listeners:
  - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}
  - {name: tls, protocol: TLS, port: 443, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}
  - {name: tcp, protocol: TCP, port: 6379, allowedRoutes: {namespaces: {from: All}}}
  - {name: udp, protocol: UDP, port: 53, allowedRoutes: {namespaces: {from: All}}}
`

// Gateway makes a Gateway with listeners http, tls, tcp and udp.
func (s *Server) Gateway(t testing.TB, namespace, name string) {
	t.Helper()
	s.Namespace(t, namespace)
	s.ApplyYAML(t, fmt.Sprintf(gatewayWithAll, name, namespace))
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
// its imports, and waits until Envoy Gateway accepts all of it.
func (s *Server) ApplyResult(t testing.TB, r compiler.Result, store string) {
	t.Helper()
	exports := Exports(r)
	for _, b := range r.Bundles {
		if b.Store == store {
			s.prepareFor(t, b)
			s.feedAll(t, b, exports)
			s.ApplyBundle(t, b)
			var all []*unstructured.Unstructured
			for _, o := range b.Objects() {
				all = append(all, o.Unstructured())
			}
			s.Accepted(t, all...)
		}
	}
}

// feedAll gives the imports of a bundle their endpoints.
func (s *Server) feedAll(t testing.TB, b manifest.Bundle, exports map[string]Exporter) {
	t.Helper()
	for _, o := range b.Objects() {
		u := o.Unstructured()
		if u.GetKind() != "ServiceImport" {
			continue
		}
		// A part that nobody exports yet has no endpoints.
		if from, ok := exports[u.GetNamespace()+"/"+u.GetName()]; ok {
			s.Feed(t, u, from)
		}
	}
}

// LocalService makes a Service of the gateway's own cluster with one endpoint.
func (s *Server) LocalService(t testing.TB, service *unstructured.Unstructured, address string) {
	t.Helper()
	s.Namespace(t, service.GetNamespace())
	s.Apply(t, service)
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	var out []any
	for _, p := range ports {
		port := p.(map[string]any)
		out = append(out, map[string]any{"name": port["name"], "port": cmp.Or(asNumber(port["targetPort"]), asNumber(port["port"])), "protocol": port["protocol"]})
	}
	s.Apply(t, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": map[string]any{"namespace": service.GetNamespace(), "name": localSlice(service.GetName()),
			"labels": map[string]any{"kubernetes.io/service-name": service.GetName()}},
		"ports":     out,
		"endpoints": []any{map[string]any{"addresses": []any{address}, "conditions": map[string]any{"ready": true}}},
	}})
}

// localSlice is the name of the endpoints of a Service.
func localSlice(service string) string { return service + "-local" }

// downAt makes the endpoint of a Service not ready.
func (s *Server) downAt(t testing.TB, namespace, service string) {
	t.Helper()
	slice := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
		"metadata": map[string]any{"namespace": namespace, "name": localSlice(service)}}}
	found := s.get(t, slice)
	slice.Object["ports"], slice.Object["addressType"] = found.Object["ports"], found.Object["addressType"]
	slice.SetLabels(found.GetLabels())
	endpoints := found.Object["endpoints"].([]any)
	endpoints[0].(map[string]any)["conditions"] = map[string]any{"ready": false}
	slice.Object["endpoints"] = endpoints
	s.Apply(t, slice)
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
