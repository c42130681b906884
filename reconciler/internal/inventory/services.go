// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
)

// systemNamespaces hold the cluster's own programs, which no policy governs.
var systemNamespaces = []string{metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease}

// revisionLabels are added by controllers per revision or per pod: pods that
// differ in nothing else are one workload.
var revisionLabels = []string{
	"pod-template-hash", "controller-revision-hash", "pod-template-generation",
	"apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name",
	"batch.kubernetes.io/controller-uid", "controller-uid", "batch.kubernetes.io/job-completion-index",
}

// sidecarName is what Istio's injector calls its container.
const sidecarName = "istio-proxy"

// list reads all objects of a kind of the core API.
func (l *lister) list(ctx context.Context, kind schema.GroupVersionKind, selector string, each func(*unstructured.Unstructured) error) error {
	resource, err := l.client.Resource(kind, "")
	if err != nil {
		return err
	}
	for o, err := range kube.List(ctx, resource, selector) {
		if err != nil {
			return fmt.Errorf("list %s: %w", kind.Kind, err)
		}
		if err := each(o); err != nil {
			return err
		}
	}
	return nil
}

// ambientLabel puts the pods of a namespace into Istio's ambient mesh.
const ambientLabel = "istio.io/dataplane-mode"

// namespaces gives the names of all, and of those in an ambient mesh.
func (l *lister) namespaces(ctx context.Context, give func(all, ambient []string)) error {
	var all, ambient []string
	err := l.list(ctx, corev1.SchemeGroupVersion.WithKind("Namespace"), "", func(o *unstructured.Unstructured) error {
		all = append(all, o.GetName())
		if o.GetLabels()[ambientLabel] == "ambient" {
			ambient = append(ambient, o.GetName())
		}
		return nil
	})
	give(all, ambient)
	return err
}

// services returns the Services that policies may speak of, each with what its
// pods look like. Our own stubs are not among them.
func (l *lister) services(ctx context.Context) ([]inventory.Service, error) {
	pods := map[string][]pod{}
	err := l.list(ctx, corev1.SchemeGroupVersion.WithKind("Pod"), "", func(o *unstructured.Unstructured) error {
		if phase, _, _ := unstructured.NestedString(o.Object, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
			return nil
		}
		if !slices.Contains(systemNamespaces, o.GetNamespace()) {
			pods[o.GetNamespace()] = append(pods[o.GetNamespace()], podOf(o))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var services []inventory.Service
	err = l.list(ctx, corev1.SchemeGroupVersion.WithKind("Service"), "", func(o *unstructured.Unstructured) error {
		var s corev1.Service
		if err := decode(o, &s); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			// Every Service is compared with every pod of its namespace.
			return err
		}
		if !slices.Contains(systemNamespaces, s.Namespace) && !l.ourStub(o) {
			services = append(services, service(s, pods[s.Namespace]))
		}
		return nil
	})
	return services, err
}

// pod is a pod's labels and the workload that it is one of.
type pod struct {
	labels   labels.Set
	workload inventory.Workload
	// key is the same for all pods of a workload.
	key string
	// ports are the numbers of its named ports.
	ports map[string]int32
}

func podOf(o *unstructured.Unstructured) pod {
	account, _, _ := unstructured.NestedString(o.Object, "spec", "serviceAccountName")
	if account == "" {
		account = "default"
	}
	w := inventory.Workload{Labels: maps.Clone(o.GetLabels()), ServiceAccount: account, Sidecar: hasSidecar(o)}
	for _, name := range revisionLabels {
		delete(w.Labels, name)
	}
	// A map with string keys and plain values always has a JSON form, with
	// its keys sorted.
	key, _ := json.Marshal(w)
	return pod{labels: o.GetLabels(), workload: w, key: string(key), ports: namedPorts(o)}
}

// namedPorts returns the numbers of a pod's ports by their names.
func namedPorts(o *unstructured.Unstructured) map[string]int32 {
	out := map[string]int32{}
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "containers")
	for _, c := range containers {
		container, _ := c.(map[string]any)
		ports, _, _ := unstructured.NestedSlice(container, "ports")
		for _, p := range ports {
			port, _ := p.(map[string]any)
			name, _ := port["name"].(string)
			number, _ := port["containerPort"].(int64)
			if name != "" {
				out[name] = int32(number)
			}
		}
	}
	return out
}

// hasSidecar looks among the containers and, for native sidecars, among those
// that initialise.
func hasSidecar(o *unstructured.Unstructured) bool {
	for _, list := range []string{"containers", "initContainers"} {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", list)
		for _, c := range containers {
			if container, _ := c.(map[string]any); container["name"] == sidecarName {
				return true
			}
		}
	}
	return false
}

func service(s corev1.Service, pods []pod) inventory.Service {
	out := inventory.Service{
		Name:         inventory.Name{Namespace: s.Namespace, Name: s.Name},
		Headless:     s.Spec.ClusterIP == corev1.ClusterIPNone,
		ExternalName: s.Spec.Type == corev1.ServiceTypeExternalName,
	}
	for _, p := range s.Spec.Ports {
		port := inventory.Port{Name: p.Name, Port: p.Port, Transport: string(p.Protocol)}
		if p.AppProtocol != nil {
			port.AppProtocol = *p.AppProtocol
		}
		out.Ports = append(out.Ports, port)
	}
	out.Selector = s.Spec.Selector
	workloads, selected := map[string]inventory.Workload{}, []pod{}
	for _, p := range pods {
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(p.labels) {
			workloads[p.key] = p.workload
			selected = append(selected, p)
		}
	}
	for i, p := range s.Spec.Ports {
		out.Ports[i].TargetPort = targetPort(p, selected)
	}
	for _, key := range slices.Sorted(maps.Keys(workloads)) {
		out.Workloads = append(out.Workloads, workloads[key])
	}
	return out
}

// targetPort returns the number of the pods' port behind a port of a Service;
// zero where it is a name that they do not all give to the same number.
func targetPort(p corev1.ServicePort, pods []pod) int32 {
	if p.TargetPort.Type == intstr.Int {
		return cmp.Or(p.TargetPort.IntVal, p.Port)
	}
	var number int32
	for _, one := range pods {
		n := one.ports[p.TargetPort.StrVal]
		if n == 0 || number != 0 && n != number {
			return 0
		}
		number = n
	}
	return number
}
