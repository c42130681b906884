// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// clusterSet of three clusters; c2 has the pods.
const clusterSet = `apiVersion: fairlead.dev/v1alpha1
kind: ClusterSet
metadata: {name: mesh}
spec:
  clusters:
  - {name: c1, providers: {eastWest: cilium}}
  - {name: c2, providers: {eastWest: cilium}}
  - {name: c3, providers: {eastWest: cilium}}
`

// The service's port 80 is 8080 of its pods, 81 is 8081; 9000 is governed by
// nobody.
var podPorts = map[uint16]v1alpha1.PortNumber{8080: 80, 8081: 81, 9000: 0}

// guarded compiles a policy with this access block for c2.
func guarded(t *testing.T, access v1alpha1.Access) []byte {
	t.Helper()
	block, err := yaml.Marshal(map[string]any{"apiVersion": "fairlead.dev/v1alpha1", "kind": "TrafficPolicy",
		"metadata": map[string]any{"name": "web", "namespace": "shop"},
		"spec": map[string]any{"service": map[string]any{"name": "web"}, "access": access,
			"rules": []any{map[string]any{"backends": []any{map[string]any{"cluster": "c2"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	inv := inventory.Inventory{Clusters: []inventory.Cluster{{Name: "c2", Namespaces: []string{"shop"},
		Kinds: []string{"CiliumNetworkPolicy.cilium.io", "ServiceExport.multicluster.x-k8s.io"},
		Services: []inventory.Service{{Name: inventory.Name{Namespace: "shop", Name: "web"}, Selector: map[string]string{"app": "web"}, Ports: []inventory.Port{
			{Name: "http", Port: 80, Transport: "TCP", TargetPort: 8080}, {Name: "more", Port: 81, Transport: "TCP", TargetPort: 8081}}}}}}}
	result, diags := compiler.Compile(fstest.MapFS{"set.yaml": {Data: []byte(clusterSet)}, "web.yaml": {Data: block}}, inv)
	if len(diags) > 0 {
		t.Fatalf("%v\n%s", diags, block)
	}
	return result.Bundles[1].YAML()
}

// caller is a pod somewhere.
type caller struct {
	cluster, namespace, account string
	labels                      map[string]string
}

// flow is a connection of the caller to a pod of the service.
func (c caller) flow(name string, port uint16) Flow {
	from := map[string]string{"io.cilium.k8s.policy.cluster": c.cluster, "io.kubernetes.pod.namespace": c.namespace, "io.cilium.k8s.policy.serviceaccount": c.account}
	for k, v := range c.labels {
		from[k] = v
	}
	return Flow{Name: name, From: from, To: web(), Port: port, Protocol: "TCP"}
}

// web has the labels of a pod of the service.
func web() map[string]string {
	return map[string]string{"app": "web", "io.kubernetes.pod.namespace": "shop", "io.cilium.k8s.policy.cluster": "c2", "io.cilium.k8s.policy.serviceaccount": "web"}
}

// may is what the policy means: on the governed ports whoever meets an entry,
// on every other port everybody.
func (c caller) may(access v1alpha1.Access, port v1alpha1.PortNumber) bool {
	in := func(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
	return port == 0 || slices.ContainsFunc(access.Allow, func(r v1alpha1.AccessRule) bool {
		for k, v := range r.PodLabels {
			if c.labels[k] != v {
				return false
			}
		}
		return c.cluster != "outside" && in(r.Clusters, c.cluster) && in(r.Namespaces, c.namespace) && in(r.ServiceAccounts, c.account) &&
			(len(r.Ports) == 0 || slices.Contains(r.Ports, port))
	})
}

// TestWhoIsLetIn: Cilium's policy engine lets in exactly whom the policy means,
// on the governed ports and on no other.
func TestWhoIsLetIn(t *testing.T) {
	dice, c := rand.New(rand.NewPCG(7, 11)), check(t)
	for n := range 40 {
		access := randomAccess(dice)
		documents := guarded(t, access)
		var flows []Flow
		var want []Passage
		for i := range 40 {
			who := caller{cluster: pick(dice, "c1", "c2", "c3", "outside"), namespace: pick(dice, "shop", "other", "third"),
				account: pick(dice, "web", "front", "back"), labels: randomLabels(dice)}
			port := pick(dice, uint16(8080), 8081, 9000)
			flows = append(flows, who.flow(fmt.Sprint(i), port))
			want = append(want, Passage{fmt.Sprint(i), who.may(access, podPorts[port])})
		}
		for _, stranger := range []string{"world", "host", "remote-node", "unmanaged", "ingress"} {
			for port, service := range podPorts {
				name := fmt.Sprint(stranger, port)
				flows = append(flows, Flow{Name: name, Entity: stranger, To: web(), Port: port, Protocol: "TCP"})
				want = append(want, Passage{name, stranger == "host" || service == 0})
			}
		}
		_, got, err := c.Judge(t.Context(), "c2", documents, flows...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%d: %+v\n%+v\nCilium: %v", n, access, flows[i], got[i].Allowed)
				}
			}
			t.Fatalf("%s", documents)
		}
	}
}

func pick[T any](dice *rand.Rand, of ...T) T { return of[dice.IntN(len(of))] }

// some returns a part of the words.
func some(dice *rand.Rand, of ...string) []string {
	return slices.DeleteFunc(slices.Clone(of), func(string) bool { return dice.IntN(3) > 0 })
}

func randomLabels(dice *rand.Rand) map[string]string {
	out := map[string]string{}
	for _, name := range some(dice, "class", "app.kubernetes.io/part-of") {
		out[name] = pick(dice, "x", "y")
	}
	return out
}

func randomAccess(dice *rand.Rand) v1alpha1.Access {
	out := v1alpha1.Access{Allow: []v1alpha1.AccessRule{}}
	for range dice.IntN(4) {
		r := v1alpha1.AccessRule{Clusters: some(dice, "c1", "c2", "c3"), Namespaces: some(dice, "shop", "other"),
			ServiceAccounts: some(dice, "web", "front"), PodLabels: randomLabels(dice)}
		if len(r.ServiceAccounts) > 0 && len(r.Namespaces) == 0 {
			r.Namespaces = []string{"shop"}
		}
		if dice.IntN(4) == 0 {
			r.Ports = []v1alpha1.PortNumber{pick[v1alpha1.PortNumber](dice, 80, 81)}
		}
		out.Allow = append(out.Allow, r)
	}
	return out
}

// TestOthersPoliciesHold: what somebody else's policy keeps shut stays shut, and
// what it opens on a governed port is open to those alone who are let in.
func TestOthersPoliciesHold(t *testing.T) {
	const theirs = `---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: theirs, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.policy.cluster": c1, "k8s:io.kubernetes.pod.namespace": shop}}]
    toPorts: [{ports: [{port: "9000", protocol: TCP}, {port: "8080", protocol: TCP}]}]
`
	ours := guarded(t, v1alpha1.Access{Allow: []v1alpha1.AccessRule{{Clusters: []string{"c1"}, Namespaces: []string{"shop"}, ServiceAccounts: []string{"front"}}}})
	front, back := caller{cluster: "c1", namespace: "shop", account: "front"}, caller{cluster: "c1", namespace: "shop", account: "back"}
	other := caller{cluster: "c1", namespace: "other", account: "front"}
	flows := []Flow{front.flow("front 9000", 9000), back.flow("back 9000", 9000), other.flow("other 9000", 9000),
		front.flow("front 8080", 8080), back.flow("back 8080", 8080)}
	_, got, err := check(t).Judge(t.Context(), "c2", append(ours, theirs...), flows...)
	if err != nil {
		t.Fatal(err)
	}
	want := []Passage{{"front 9000", true}, {"back 9000", true}, {"other 9000", false}, {"front 8080", true}, {"back 8080", false}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
