// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

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
	// sidecars of pods that are called, as they were read first.
	sidecars map[string]Config
}

// Start fills API servers with what the inventory describes and the bundles ask
// for, and starts the control planes over them.
func Start(t testing.TB, s Scenario) *World {
	t.Helper()
	sandbox.Need(t)
	store(t)
	names := s.clusters()
	w := &World{Scenario: s, servers: map[string]apitest.Cluster{}, istiods: map[string]*istiod{}, sidecars: map[string]Config{}}
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
		// Every API server has a Service of its own.
		if !s.ExternalName && s.Name.String() != "default/kubernetes" {
			w.addService(t, cluster, s, n.podsOf(cluster, s))
		}
	}
	for _, ns := range w.callerNamespaces() {
		// The simulator knows no labels of pods that no Service has.
		w.addPod(t, Pod{Cluster: cluster, Namespace: ns, Name: callerName, IP: n.next(cluster), Account: callerName,
			Labels: map[string]string{tlsLabel: "istio"}, Ready: true})
	}
	if g := mesh.EastWestGateway; g != nil {
		w.addGateway(t, cluster, n.next(cluster))
	}
}

// callerName is the pod that calls, in each namespace that has a policy.
const callerName = "caller"

func (w *World) callerNamespaces() []string {
	var out []string
	for _, p := range w.Policies {
		out = append(out, p.Namespace)
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
	pod := Pod{Cluster: cluster, Namespace: mesh.RootNamespace, Name: gatewayName, IP: ip, Account: gatewayName, Labels: g.Selector, Ready: true}
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
