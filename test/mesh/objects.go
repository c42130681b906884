// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// Pod is one pod of a World.
type Pod struct {
	Cluster, Namespace, Name, IP, Account string
	Labels                                map[string]string
	Ready                                 bool

	// service that the pod stands behind, if any; a gateway's is not told.
	service string
	// gateway: its proxy is one.
	gateway bool
}

// String is cluster/namespace/name.
func (p Pod) String() string { return p.Cluster + "/" + p.Namespace + "/" + p.Name }

// at is one port of the pod.
func (p Pod) at(port int) string { return fmt.Sprintf("%s:%d", p, port) }

// podsPerWorkload is two, so that half of them can fail.
const podsPerWorkload = 2

// tlsLabel is what Istio's injector writes on pods with a sidecar: they speak
// mutual TLS.
const tlsLabel = "security.istio.io/tlsMode"

// podsOf lists the pods that the inventory's workloads stand for.
func (n *numbers) podsOf(cluster string, s inventory.Service) []Pod {
	var out []Pod
	for i, w := range s.Workloads {
		for j := range podsPerWorkload {
			labels := maps.Clone(w.Labels)
			if labels == nil {
				labels = map[string]string{}
			}
			if w.Sidecar {
				labels[tlsLabel] = "istio"
			}
			out = append(out, Pod{Cluster: cluster, Namespace: s.Namespace, Name: fmt.Sprintf("%s-%d-%d", s.Name.Name, i, j),
				IP: n.next(cluster), Account: w.ServiceAccount, Labels: labels, Ready: true, service: s.Name.Name})
		}
	}
	return out
}

// numbers gives out addresses.
type numbers struct {
	clusters map[string]int
	last     map[string]int
}

// next is an address of the cluster, 10.<128 + cluster>.0.x.
func (n *numbers) next(cluster string) string {
	n.last[cluster]++
	return fmt.Sprintf("10.%d.%d.%d", 128+n.clusters[cluster], n.last[cluster]/250, 1+n.last[cluster]%250)
}

func (p Pod) object() (*corev1.Pod, corev1.PodStatus) {
	ready := corev1.ConditionFalse
	if p.Ready {
		ready = corev1.ConditionTrue
	}
	return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, Labels: p.Labels},
			Spec:       corev1.PodSpec{ServiceAccountName: p.Account, Containers: []corev1.Container{{Name: "main", Image: "none"}}},
		}, corev1.PodStatus{Phase: corev1.PodRunning, PodIP: p.IP, PodIPs: []corev1.PodIP{{IP: p.IP}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}
}

// targetOf is the port of the pods.
func targetOf(p inventory.Port) int32 { return cmp.Or(p.TargetPort, p.Port) }

// service is a Service as the inventory shows it.
func service(s inventory.Service) *corev1.Service {
	out := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name.Name}, Spec: corev1.ServiceSpec{Selector: s.Selector}}
	if s.Headless {
		out.Spec.ClusterIP = corev1.ClusterIPNone
	}
	for _, p := range s.Ports {
		port := corev1.ServicePort{Name: p.Name, Port: p.Port, Protocol: corev1.Protocol(p.Transport), TargetPort: intstr.FromInt32(targetOf(p))}
		if p.AppProtocol != "" {
			port.AppProtocol = &p.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, port)
	}
	return out
}

// slice says which pods stand behind a Service, as a controller manager would.
func slice(s inventory.Service, pods []Pod) *discoveryv1.EndpointSlice {
	out := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4,
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name.Name + "-1",
			Labels: map[string]string{discoveryv1.LabelServiceName: s.Name.Name}}}
	for _, p := range s.Ports {
		transport, target := corev1.Protocol(p.Transport), targetOf(p)
		out.Ports = append(out.Ports, discoveryv1.EndpointPort{Name: &p.Name, Port: &target, Protocol: &transport})
	}
	for _, p := range pods {
		out.Endpoints = append(out.Endpoints, discoveryv1.Endpoint{Addresses: []string{p.IP},
			Conditions: conditions(p.Ready),
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name}})
	}
	return out
}

// conditions of an endpoint as a controller manager writes them: all of them,
// because to istiod an endpoint that is neither ready nor known not to be
// terminating is terminating.
func conditions(ready bool) discoveryv1.EndpointConditions {
	terminating := false
	return discoveryv1.EndpointConditions{Ready: &ready, Serving: &ready, Terminating: &terminating}
}
