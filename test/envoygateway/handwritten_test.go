// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// What Envoy Gateway makes of objects that nobody emitted: the facts that the
// emitter is built on.

const byHand = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: %[1]s}
spec:
  gatewayClassName: eg
  listeners: [{name: http, protocol: HTTP, port: 80}]
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: one, namespace: %[1]s}
spec: {type: ClusterSetIP, ips: [243.0.0.1], ports: [{name: http, port: 3000, protocol: TCP}]}
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: two, namespace: %[1]s}
spec: {type: ClusterSetIP, ips: [243.0.0.2], ports: [{name: http, port: 3000, protocol: TCP}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: three, namespace: %[1]s}
spec: {fallback: true, endpoints: [{ip: {address: 242.3.0.1, port: 3000}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: %[1]s}
spec:
  parentRefs: [{name: web}]
  hostnames: [www.example.com]
  rules:
  - name: all
    matches: [{path: {type: PathPrefix, value: /get}}]
    backendRefs:
    - {group: multicluster.x-k8s.io, kind: ServiceImport, name: one, port: 3000, weight: 75}
    - {group: multicluster.x-k8s.io, kind: ServiceImport, name: two, port: 3000, weight: 25}
`

// object is a document of a text.
func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// imported names an import with one port.
func imported(t testing.TB, namespace, name string, port int) *unstructured.Unstructured {
	t.Helper()
	return object(t, fmt.Sprintf(`{kind: ServiceImport, metadata: {namespace: %s, name: %s}, spec: {ports: [{name: http, port: %d, protocol: TCP}]}}`, namespace, name, port))
}

// only returns the routes of the only virtual host.
func only(c Configuration) ([]Route, error) {
	if len(c.Hosts) != 1 || len(c.Hosts[0].Routes) == 0 {
		return nil, fmt.Errorf("%d virtual hosts: %+v", len(c.Hosts), c.Hosts)
	}
	return c.Hosts[0].Routes, nil
}

// gets waits until the first route of the only virtual host gives these shares.
func gets(t *testing.T, s *Server, namespace string, want ...Share) Configuration {
	t.Helper()
	return s.Settled(t, namespace, "web", func(c Configuration) error {
		routes, err := only(c)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, c.Shares(routes[0].Targets), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
}

func byHandIn(t *testing.T, namespace string) *Server {
	t.Helper()
	s := Start(t)
	s.Namespace(t, namespace)
	s.ApplyYAML(t, fmt.Sprintf(byHand, namespace))
	s.Feed(t, imported(t, namespace, "one", 3000), Exporter{"cluster1", "242.1.0.1", true})
	s.Feed(t, imported(t, namespace, "two", 3000), Exporter{"cluster2", "242.2.0.1", true})
	s.Accepted(t, object(t, fmt.Sprintf("{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: %s}}", namespace)))
	return s
}

// Imports become localities of one cluster, with the weights of the route; an
// exporter that is not ready gives its share to the other.
func TestImportsBecomeLocalities(t *testing.T) {
	s := byHandIn(t, "by-hand")
	c := gets(t, s, "by-hand", Share{"242.1.0.1:3000", 0.75}, Share{"242.2.0.1:3000", 0.25})
	if got := c.Hosts[0].Routes[0].Match; !cmp.Equal(got, Match{ElementPrefix: "/get"}) {
		t.Errorf("the route matches %+v", got)
	}
	if got := c.Hosts[0].Domains; !cmp.Equal(got, []string{"www.example.com"}) {
		t.Errorf("the host is %v", got)
	}
	s.Feed(t, imported(t, "by-hand", "one", 3000), Exporter{"cluster1", "242.1.0.1", false})
	gets(t, s, "by-hand", Share{"242.2.0.1:3000", 1})
}

// An exporter that has no endpoint at all keeps its share, and it is refused:
// the reason why the feed leaves lost exporters in.
func TestAnEmptyImportRefusesItsShare(t *testing.T) {
	s := byHandIn(t, "empty")
	s.Delete(t, object(t, "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: one-cluster1, namespace: empty}}"))
	c := gets(t, s, "empty", Share{"242.2.0.1:3000", 0.25})
	routes, _ := only(c)
	if got := routes[0].Targets[0]; got != (Target{"invalid-backend-cluster", 75}) {
		t.Errorf("the lost share goes to %+v", got)
	}
}

// A Backend with fallback is a second level of priority, and the first one is
// judged as a whole: with one of two addresses lost it keeps 70 %.
func TestFallbackIsPooled(t *testing.T) {
	s := byHandIn(t, "fallback")
	documents := strings.Split(byHand, "\n---\n")
	route := object(t, fmt.Sprintf(documents[len(documents)-1], "fallback"))
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	refs := rules[0].(map[string]any)["backendRefs"].([]any)
	rules[0].(map[string]any)["backendRefs"] = append(refs, map[string]any{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "three", "port": int64(3000)})
	if err := unstructured.SetNestedSlice(route.Object, rules, "spec", "rules"); err != nil {
		t.Fatal(err)
	}
	s.Apply(t, route)
	s.Accepted(t, route)
	gets(t, s, "fallback", Share{"242.1.0.1:3000", 0.75}, Share{"242.2.0.1:3000", 0.25})
	s.Feed(t, imported(t, "fallback", "one", 3000), Exporter{"cluster1", "242.1.0.1", false})
	gets(t, s, "fallback", Share{"242.2.0.1:3000", 0.7}, Share{"242.3.0.1:3000", 0.3})
	s.Feed(t, imported(t, "fallback", "two", 3000), Exporter{"cluster2", "242.2.0.1", false})
	c := gets(t, s, "fallback", Share{"242.3.0.1:3000", 1})
	for name, cluster := range c.Clusters {
		if math.Abs(cluster.Panic-50) > 0 {
			t.Errorf("%s panics below %v %%", name, cluster.Panic)
		}
	}
}

const overriding = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: whole, namespace: overridden}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web}], healthCheck: {panicThreshold: 0}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: part, namespace: overridden}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web, sectionName: all}], healthCheck: {panicThreshold: 1}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: whole-too, namespace: overridden}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web}], healthCheck: {panicThreshold: 2}}
`

// What is in another's way, or refers to what is not there, is complained about.
func TestVerdictsThatAreBad(t *testing.T) {
	s := byHandIn(t, "overridden")
	s.ApplyYAML(t, overriding)
	s.Delete(t, object(t, "{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceImport, metadata: {name: two, namespace: overridden}}"))
	for text, want := range map[string]string{
		"{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: BackendTrafficPolicy, metadata: {name: whole, namespace: overridden}}":     "is Overridden",
		"{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: BackendTrafficPolicy, metadata: {name: whole-too, namespace: overridden}}": "Conflicted",
		"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: overridden}}":                    "ResolvedRefs is False",
	} {
		o := object(t, text)
		s.eventually(t, func() error {
			if err := s.verdictOn(t, o, judged(o), ""); err == nil || !strings.Contains(err.Error(), want) {
				return fmt.Errorf("%s: got %v, want %s", text, err, want)
			}
			return nil
		})
	}
}
