// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"testing"
)

// TestNearest: what people write, and what they meant of what there is.
func TestNearest(t *testing.T) {
	fields := "backends cors directResponse faults matches mirror name rateLimit redirect requestHeaders responseHeaders retries rewrite sessionAffinity timeout weight"
	clusters := "cluster1 cluster2 eu-west-1 eu-west-2 us"
	for _, test := range []struct{ word, of, want string }{
		{"backend", fields, "backends"}, {"Backends", fields, "backends"}, {"match", fields, "matches"}, {"retry", fields, "retries"},
		{"time-out", fields, "timeout"}, {"time_out", fields, "timeout"}, {"tiemout", fields, "timeout"}, {"timeot", fields, "timeout"},
		{"weigth", fields, "weight"}, {"weights", fields, "weight"}, {"session", fields, "sessionAffinity"}, {"session_affinity", fields, "sessionAffinity"},
		{"rateLimits", fields, "rateLimit"}, {"headers", fields, ""}, {"re", fields, ""}, {"red", fields, ""}, {"x", fields, ""}, {"", fields, ""},
		{"consecutive5xxErrors", "consecutive5xx interval", "consecutive5xx"},
		{"istoi", "istio cilium fairlead", "istio"}, {"Istio", "istio cilium fairlead", "istio"}, {"envoygateway", "envoy-gateway istio none", "envoy-gateway"},
		{"wiregard", "wireguard vxlan ipsec", "wireguard"}, {"HTTP", "http grpc tls tcp udp", "http"}, {"htpp", "http grpc tls tcp udp", "http"},
		{"tdp", "http grpc tls tcp udp", ""}, // tcp or udp
		{"cluster-1", clusters, "cluster1"}, {"Cluster1", clusters, "cluster1"}, {"clutser1", clusters, "cluster1"},
		{"cluster3", clusters, ""}, {"cluster11", clusters, "cluster1"}, {"cluster", clusters, ""}, {"euwest2", clusters, "eu-west-2"}, {"eu-west-3", clusters, ""},
		{"uk", clusters, "us"}, {"default/ratngs", "default/ratings shop/ratings", "default/ratings"}, {"defualt", "default shop", "default"},
		{strings.Repeat("a", 1000), clusters, ""},
	} {
		got, ok := Nearest(test.word, strings.Fields(test.of))
		if !ok {
			got = ""
		}
		if got != test.want {
			t.Errorf("%.40q: got %q, want %q", test.word, got, test.want)
		}
	}
}
