// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/mcs-api/pkg/apis/v1beta1"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// partObjects are the Service of a part with its export where the pods are, and
// its import elsewhere.
func partObjects(p plan.Part) []manifest.Object {
	meta := metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}
	if !p.Exported {
		return []manifest.Object{manifest.Must(serviceImport(p, meta))}
	}
	out := []manifest.Object{manifest.Must(service(p, meta))}
	if !p.Offered {
		return out
	}
	out = append(out, manifest.Must(&v1beta1.ServiceExport{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: "ServiceExport"}, ObjectMeta: meta}))
	return append(out, manifest.Must(serviceRoute(p, meta)))
}

// service selects the pods of the part.
func service(p plan.Part, meta metav1.ObjectMeta) *corev1.Service {
	out := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta}
	out.Spec.Selector = map[string]string{}
	maps.Copy(out.Spec.Selector, p.Selector)
	maps.Copy(out.Spec.Selector, p.Labels)
	for _, port := range p.Ports {
		sp := corev1.ServicePort{Name: port.Name, Port: port.Number, Protocol: corev1.Protocol(port.Transport), TargetPort: intstr.FromInt32(port.Target)}
		if port.AppProtocol != "" {
			sp.AppProtocol = &port.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, sp)
	}
	return out
}

// serviceRoute lets gateways of other clusters in at the export address.
func serviceRoute(p plan.Part, meta metav1.ObjectMeta) *v1alpha1.ServiceRoute {
	out := &v1alpha1.ServiceRoute{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindServiceRoute}, ObjectMeta: meta}
	out.Spec.Service = p.Name
	for _, port := range p.Ports {
		out.Spec.Ports = append(out.Spec.Ports, v1alpha1.RoutePort{Name: port.Name, Port: port.Number, Transport: port.Transport})
	}
	out.Spec.Export = &v1alpha1.RouteExport{Addresses: []v1alpha1.Address{v1alpha1.Address(p.Address.String())}}
	return out
}

// serviceImport is what routes refer to.
func serviceImport(p plan.Part, meta metav1.ObjectMeta) *v1beta1.ServiceImport {
	out := &v1beta1.ServiceImport{TypeMeta: metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: "ServiceImport"}, ObjectMeta: meta}
	out.Spec.Type, out.Spec.IPs, out.Spec.IPFamilies = v1beta1.ClusterSetIP, []string{p.Virtual.String()}, []corev1.IPFamily{corev1.IPv4Protocol}
	// The list must be there, though nothing may be in it yet.
	out.Spec.Ports = []v1beta1.ServicePort{}
	for _, port := range p.Ports {
		sp := v1beta1.ServicePort{Name: port.Name, Port: port.Number, Protocol: corev1.Protocol(port.Transport)}
		if port.AppProtocol != "" {
			sp.AppProtocol = &port.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, sp)
	}
	return out
}
