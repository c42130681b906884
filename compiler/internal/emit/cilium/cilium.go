// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Annotations of Cilium on Services (Cluster Mesh).
const (
	annotationGlobal   = "service.cilium.io/global"
	annotationShared   = "service.cilium.io/shared"
	annotationAffinity = "service.cilium.io/affinity"
	// annotationCopies has the addresses of pods copied to the other clusters,
	// where Cilium's synchronization of EndpointSlices is on.
	annotationCopies = "service.cilium.io/global-sync-endpoint-slices"
)

// Emit returns what Cilium needs for every service of a cluster that it routes.
func Emit(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	for _, s := range p.Services {
		if s.EastWest != v1alpha1.EastWestCilium {
			continue
		}
		f := manifest.Fragment{ID: s.Fragment}
		shared := share(s)
		switch {
		case len(shared) == 0:
		case s.Import != nil && s.Import.Stub:
			f.Objects = append(f.Objects, stub(s, shared))
		default:
			f.Claims = append(f.Claims, manifest.MustClaim(serviceRef(s), nil, shared))
		}
		if e := s.Export; e != nil && e.Access != nil && e.Enforced {
			f.Objects = append(f.Objects, networkPolicy(s))
		}
		out = append(out, f)
	}
	return out
}

func serviceRef(s plan.Service) manifest.Ref {
	return manifest.Ref{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name}
}

// share returns the annotations of the Service; none where it stays as it is.
func share(s plan.Service) map[string]string {
	closed := s.Export != nil && s.Export.Access != nil && !s.Export.Enforced
	// Under the names of the set's domain Cilium shares what is exported.
	exports := s.Export != nil && !closed && s.Export.ClusterNames
	imports := s.Import != nil && s.Import.Routed && s.Import.Names.Cluster
	out := map[string]string{}
	if exports {
		// A Service that is global is shared unless it says otherwise; saying so
		// keeps it from depending on Cilium's default.
		maps.Copy(out, map[string]string{annotationGlobal: "true", annotationShared: "true"})
	}
	if closed {
		// Another policy may make it global for its callers.
		out[annotationShared] = "false"
	}
	if imports {
		out[annotationGlobal] = "true"
		if !exports && !s.Import.Exported {
			out[annotationShared] = "false"
		}
		if preferred := affinity(s.Import.Rules); preferred != "" {
			out[annotationAffinity] = preferred
		}
	}
	if s.Headless && out[annotationGlobal] == "true" {
		out[annotationCopies] = "true"
	}
	return out
}

// affinity returns which endpoints are tried first; empty for no preference.
// The last rule is the one without matches: connections have nothing that
// another could match. The plan lets nothing through but the own cluster before
// all others, the reverse, or all together.
func affinity(rules []plan.Rule) string {
	tiers := rules[len(rules)-1].Tiers
	if len(tiers) < 2 {
		return ""
	}
	if tiers[0][0].Local {
		return "local"
	}
	return "remote"
}

// stub is a Service without pods of its own: it gives the name an address, and
// Cilium the place where it puts the endpoints of other clusters.
func stub(s plan.Service, annotations map[string]string) manifest.Object {
	out := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Annotations: annotations},
	}
	if s.Headless {
		out.Spec.ClusterIP = corev1.ClusterIPNone
	}
	for _, p := range s.Ports {
		// What the server would fill in: the same text means nothing to write.
		port := corev1.ServicePort{Name: p.Name, Port: p.Number, TargetPort: intstr.FromInt32(p.Number), Protocol: corev1.Protocol(p.Transport)}
		if p.AppProtocol != "" {
			port.AppProtocol = &p.AppProtocol
		}
		out.Spec.Ports = append(out.Spec.Ports, port)
	}
	return manifest.Must(out)
}
