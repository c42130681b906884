// SPDX-License-Identifier: Apache-2.0

package l4

import (
	"net/netip"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Emit returns a ServiceRoute for each policy that this cluster's agents have
// something to do for.
func Emit(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	for _, s := range p.Services {
		spec := v1alpha1.ServiceRouteSpec{Service: s.Name}
		// A mesh routes its own callers; to those of others at the end of a tunnel
		// its pods are behind export addresses like any.
		own := s.EastWest == v1alpha1.EastWestFairlead
		if !own && s.EastWest != v1alpha1.EastWestIstio || len(s.Ports) == 0 || s.Headless {
			continue
		}
		for _, port := range s.Ports {
			spec.Ports = append(spec.Ports, v1alpha1.RoutePort{Name: port.Name, Port: port.Number, Transport: port.Transport})
		}
		if e := s.Export; e != nil && e.Address.IsValid() {
			spec.Export = &v1alpha1.RouteExport{Addresses: []v1alpha1.Address{address(e.Address)}}
		}
		if i := s.Import; own && i != nil && i.Routed {
			spec.Import = routeImport(s)
		}
		if spec.Export == nil && spec.Import == nil {
			continue
		}
		o := manifest.Must(&v1alpha1.ServiceRoute{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindServiceRoute},
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Policy}, Spec: spec})
		out = append(out, manifest.Fragment{ID: s.Fragment, Objects: []manifest.Object{o}})
	}
	return out
}

// routeImport takes the last rule, which is the one without matches: a
// connection has nothing that another could match. Nobody is at the unspecified
// address: the share of a lost backend goes on.
func routeImport(s plan.Service) *v1alpha1.RouteImport {
	i := s.Import
	out := &v1alpha1.RouteImport{Addresses: []v1alpha1.Address{address(i.Virtual)}, MinHealthy: i.MinHealthy, FailbackDelay: i.FailbackDelay}
	for _, tier := range i.Rules[len(i.Rules)-1].Tiers {
		var t v1alpha1.RouteTier
		for _, b := range tier {
			backend := v1alpha1.RouteBackend{Cluster: b.Cluster, Weight: int32(b.Weight)}
			switch {
			case b.Lost:
				backend.Address = address(netip.IPv4Unspecified())
				if b.Cluster == s.Cluster {
					backend.Cluster = "" // not the pods of the route's own cluster
				}
			case !b.Local:
				backend.Address = address(b.Address)
			}
			t.Backends = append(t.Backends, backend)
		}
		out.Tiers = append(out.Tiers, t)
	}
	return out
}

func address(a netip.Addr) v1alpha1.Address { return v1alpha1.Address(a.String()) }
