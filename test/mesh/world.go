// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/test/sandbox"
)

// World is a scenario brought to life: an API server per cluster, and an istiod
// for every config store.
type World struct {
	Scenario
	// Pods of all clusters.
	Pods []Pod

	servers map[string]apitest.Cluster
	istiods map[string]*istiod
}

// Start fills API servers with what the inventory describes and the bundles ask
// for, and starts the control planes over them.
func Start(t testing.TB, s Scenario) *World {
	t.Helper()
	sandbox.Need(t)
	store(t)
	names := s.clusters()
	w := &World{Scenario: s, servers: map[string]apitest.Cluster{}, istiods: map[string]*istiod{}}
	numbers := &numbers{clusters: map[string]int{}, last: map[string]int{}}
	for i, server := range apitest.Start(t, len(names)) {
		w.servers[names[i]] = server
		numbers.clusters[names[i]] = i
		empty(t, server)
	}
	for _, name := range names {
		w.populate(t, name, numbers)
	}
	for _, b := range s.Result.Bundles {
		if server, ok := w.servers[b.Store]; ok {
			apply(t, server, b)
		}
	}
	w.startIstiods(t)
	return w
}

// client returns typed access to a cluster.
func (w *World) client(t testing.TB, cluster string) *kubernetes.Clientset {
	t.Helper()
	return must(kubernetes.NewForConfig(w.servers[cluster].Config))(t)
}

// populate creates what the inventory of a cluster describes, a caller in each
// namespace of a policy, and the east-west gateway.
func (w *World) populate(t testing.TB, cluster string, n *numbers) {
	t.Helper()
	observed, _ := w.Inventory.Find(cluster)
	mesh := w.mesh(cluster)
	spaces := append(slices.Clone(observed.Namespaces), mesh.RootNamespace)
	slices.Sort(spaces)
	for _, ns := range slices.Compact(spaces) {
		o := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
		if ns == mesh.RootNamespace {
			o.Labels = map[string]string{networkLabel: mesh.Network}
		}
		client := w.client(t, cluster).CoreV1().Namespaces()
		if _, err := client.Create(context.Background(), o, metav1.CreateOptions{}); apierrors.IsAlreadyExists(err) {
			must(client.Update(context.Background(), o, metav1.UpdateOptions{}))(t)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range observed.Services {
		switch {
		case s.ExternalName:
		case s.Name.String() == "default/kubernetes":
			w.addServer(t, s, Pod{Cluster: cluster, Namespace: "default", Name: "apiserver", IP: n.next(cluster), Ready: true, service: s.Name.Name})
		default:
			w.addService(t, cluster, s, n.podsOf(cluster, s))
		}
	}
	for _, ns := range w.callerNamespaces(cluster) {
		// The simulator knows no labels of pods that no Service has.
		w.addPod(t, Pod{Cluster: cluster, Namespace: ns, Name: callerName, IP: n.next(cluster), Account: callerName,
			Labels: map[string]string{tlsLabel: "istio"}, Ready: true})
	}
	if g := mesh.EastWestGateway; g != nil {
		w.addGateway(t, cluster, n.next(cluster))
	}
	for _, name := range w.edges(cluster) {
		w.addPod(t, Pod{Cluster: cluster, Namespace: name.Namespace, Name: name.Name, IP: n.next(cluster), Account: name.Name,
			Labels: map[string]string{"istio": name.Name}, Ready: true, gateway: true})
	}
	w.addOthers(t, cluster)
}

// edges are the gateways that policies name in a cluster, each a pod with the
// label istio that has its name.
func (w *World) edges(cluster string) []inventory.Name {
	out := map[inventory.Name]bool{}
	observed, _ := w.Inventory.Find(cluster)
	for _, p := range w.Policies {
		for _, f := range p.Spec.Frontends {
			if f.Gateway == nil {
				continue
			}
			name := inventory.Name{Namespace: cmp.Or(f.Gateway.Namespace, p.Namespace), Name: f.Gateway.Name}
			if slices.Contains(observed.Namespaces, name.Namespace) {
				out[name] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(out), func(a, b inventory.Name) int { return cmp.Compare(a.String(), b.String()) })
}

// addOthers creates the objects of the cluster's owner.
func (w *World) addOthers(t testing.TB, cluster string) {
	t.Helper()
	for _, document := range strings.Split(string(w.others[cluster]), "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		var o unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		w.servers[cluster].Create(t, strings.ToLower(o.GetKind())+"s", &o)
	}
}

// callerName is the pod that calls, in each namespace that has a policy.
const callerName = "caller"

func (w *World) callerNamespaces(cluster string) []string {
	var out []string
	observed, _ := w.Inventory.Find(cluster)
	for _, p := range w.Policies {
		if slices.Contains(observed.Namespaces, p.Namespace) {
			out = append(out, p.Namespace)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// networkLabel names the network that something is in.
const networkLabel = "topology.istio.io/network"

// addGateway creates the east-west gateway as Istio's installation would: the
// Service and one pod.
func (w *World) addGateway(t testing.TB, cluster, ip string) {
	t.Helper()
	mesh := w.mesh(cluster)
	g := mesh.EastWestGateway
	name := inventory.Name{Namespace: mesh.RootNamespace, Name: g.Service}
	s := inventory.Service{Name: name, Ports: []inventory.Port{{Name: "tls", Port: g.Port, Transport: "TCP"}}}
	pod := Pod{Cluster: cluster, Namespace: mesh.RootNamespace, Name: gatewayName, IP: ip, Account: gatewayName, Labels: g.Selector, Ready: true, gateway: true}
	w.addService(t, cluster, s, []Pod{pod})
	services := w.client(t, cluster).CoreV1().Services(name.Namespace)
	o := must(services.Get(context.Background(), name.Name, metav1.GetOptions{}))(t)
	o.Spec.Type = corev1.ServiceTypeLoadBalancer
	o = must(services.Update(context.Background(), o, metav1.UpdateOptions{}))(t)
	for _, a := range g.Addresses {
		o.Status.LoadBalancer.Ingress = append(o.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: string(a)})
	}
	must(services.UpdateStatus(context.Background(), o, metav1.UpdateOptions{}))(t)
}

// gatewayName is the pod and the service account of an east-west gateway.
const gatewayName = "eastwest"

func (w *World) addService(t testing.TB, cluster string, s inventory.Service, pods []Pod) {
	t.Helper()
	client := w.client(t, cluster)
	must(client.CoreV1().Services(s.Namespace).Create(context.Background(), service(s), metav1.CreateOptions{}))(t)
	for _, p := range pods {
		w.addPod(t, p)
	}
	must(client.DiscoveryV1().EndpointSlices(s.Namespace).Create(context.Background(), slice(s, pods), metav1.CreateOptions{}))(t)
}

// addServer puts something behind a Service that is no pod and that everybody
// has: the API server, which here announces itself to nobody.
func (w *World) addServer(t testing.TB, s inventory.Service, p Pod) {
	t.Helper()
	endpoints := slice(s, []Pod{p})
	for i := range endpoints.Endpoints {
		endpoints.Endpoints[i].TargetRef = nil
	}
	must(w.client(t, p.Cluster).DiscoveryV1().EndpointSlices(s.Namespace).Create(context.Background(), endpoints, metav1.CreateOptions{}))(t)
	w.Pods = append(w.Pods, p)
}

func (w *World) addPod(t testing.TB, p Pod) {
	t.Helper()
	object, status := p.object()
	pods := w.client(t, p.Cluster).CoreV1().Pods(p.Namespace)
	made := must(pods.Create(context.Background(), object, metav1.CreateOptions{}))(t)
	made.Status = status
	must(pods.UpdateStatus(context.Background(), made, metav1.UpdateOptions{}))(t)
	w.Pods = append(w.Pods, p)
}

// collections are all kinds of objects that Worlds leave behind.
var collections = []schema.GroupVersionResource{
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "services"},
	{Version: "v1", Resource: "secrets"},
	{Version: "v1", Resource: "configmaps"},
	{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	{Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},
	{Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	{Group: "networking.istio.io", Version: "v1", Resource: "sidecars"},
	{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
	{Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"},
	{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceexports"},
	{Group: "multicluster.x-k8s.io", Version: "v1beta1", Resource: "serviceimports"},
}

// empty removes what an earlier World left. Namespaces stay: without a
// controller manager they cannot go.
func empty(t testing.TB, server apitest.Cluster) {
	t.Helper()
	client, now := server.Dynamic(t), int64(0)
	for _, r := range collections {
		list := must(client.Resource(r).List(context.Background(), metav1.ListOptions{}))(t)
		for _, o := range list.Items {
			if o.GetNamespace() == "default" && o.GetName() == "kubernetes" || o.GetNamespace() == "kube-system" {
				continue
			}
			err := client.Resource(r).Namespace(o.GetNamespace()).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &now})
			if err != nil && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
		}
	}
}

// reference names an object in messages.
func reference(o *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
}
