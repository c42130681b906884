// SPDX-License-Identifier: Apache-2.0

package mcs

import (
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// Emit returns the ServiceExports and ServiceImports that are ours to write.
func Emit(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	for _, s := range p.Services {
		f := manifest.Fragment{ID: s.Fragment}
		meta := metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}
		if s.Export != nil && s.Export.Declare {
			o := manifest.Must(&v1beta1.ServiceExport{TypeMeta: kind("ServiceExport"), ObjectMeta: meta})
			f.Objects = append(f.Objects, o)
		}
		if s.Import != nil && s.Import.Declare {
			o := manifest.Must(serviceImport(s, meta))
			f.Objects = append(f.Objects, o)
		}
		out = append(out, f)
	}
	return out
}

func kind(name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: name}
}

// serviceImport has the clusterset IP, unless the service is headless: then
// callers get the addresses of its pods (KEP-1645).
func serviceImport(s plan.Service, meta metav1.ObjectMeta) *v1beta1.ServiceImport {
	out := &v1beta1.ServiceImport{TypeMeta: kind("ServiceImport"), ObjectMeta: meta}
	out.Spec.Type = v1beta1.Headless
	if !s.Headless {
		out.Spec.Type = v1beta1.ClusterSetIP
		if four := s.Import.Virtual; four.IsValid() {
			out.Spec.IPs = []string{four.String()}
			out.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
		}
		if six := s.Import.Virtual6; six.IsValid() {
			out.Spec.IPs = append(out.Spec.IPs, six.String())
			out.Spec.IPFamilies = append(out.Spec.IPFamilies, corev1.IPv6Protocol)
		}
	}
	// The list must be there, though nothing may be in it yet.
	out.Spec.Ports = []v1beta1.ServicePort{}
	for _, p := range s.Import.Ports {
		port := v1beta1.ServicePort{Name: p.Name, Port: p.Number, Protocol: corev1.Protocol(p.Transport)}
		if p.AppProtocol != "" {
			port.AppProtocol = &p.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, port)
	}
	return out
}
