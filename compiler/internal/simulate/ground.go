// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

type inventoryPort = inventory.Port

// Ground is what is true in the clusters, whoever configures them.
type Ground struct {
	// Sites by cluster.
	Sites map[string]Site
}

// Site is one cluster.
type Site struct {
	Cluster string
	// Domain of the set that the cluster is in.
	Domain string
	// EastWest is who routes there. Adopts: its own implementation of the MCS API
	// makes the names of the set.
	EastWest string
	Adopts   bool
	// Observed: Services is all there is. Otherwise nothing is known of them.
	Observed bool
	Services []inventory.Service
	// Istio is the version of the mesh, TrustDomain the root of its identities,
	// RootNamespace where istiod is, ControlPlane the cluster of the istiod that
	// configures the proxies, Network that of the pods.
	Istio, TrustDomain, RootNamespace string
	ControlPlane, Network             string
	// Gateways are the addresses of the east-west gateway, GatewayLabels those
	// of its pods, GatewayPort its port.
	Gateways      []netip.Addr
	GatewayLabels map[string]string
	GatewayPort   int64
}

// GroundOf takes from a Fleet what it knows of the clusters themselves.
func GroundOf(f *fleet.Fleet) Ground {
	out := Ground{Sites: map[string]Site{}}
	for _, s := range f.Sets {
		for _, c := range s.Clusters {
			out.Sites[c.Name] = siteOf(c)
		}
	}
	return out
}

func siteOf(c *fleet.Cluster) Site {
	out := Site{Cluster: c.Name, Domain: c.Set.Domain, Observed: c.Facts.State == fleet.Observed, Services: c.Facts.Services,
		Istio: c.Facts.Istio, TrustDomain: c.Mesh.TrustDomain}
	out.EastWest, out.Adopts = string(c.EastWest), c.Discovery == v1alpha1.DiscoveryExisting
	out.RootNamespace, out.Network, out.ControlPlane = c.Mesh.RootNamespace, c.Mesh.Network, c.Name
	if c.Mesh.ControlPlane != nil {
		out.ControlPlane = c.Mesh.ControlPlane.Name
	}
	if g := c.Mesh.Gateway; g != nil {
		out.Gateways, out.GatewayLabels, out.GatewayPort = g.Addresses, maps.Clone(g.Selector), int64(g.Port)
		out.GatewayLabels[clusterLabel] = c.Name // by istiod itself
	}
	return out
}

// service finds a Service of the cluster.
func (s Site) service(namespace, name string) (inventory.Service, bool) {
	for _, svc := range s.Services {
		if svc.Namespace == namespace && svc.Name.Name == name {
			return svc, true
		}
	}
	return inventory.Service{}, false
}

// mayHave tells whether the cluster has a Service, as far as anybody looked.
func (s Site) mayHave(n name) bool {
	_, there := s.service(n.namespace, n.service)
	return there || !s.Observed
}

// pods finds the kinds of pods behind a Service that have some labels.
func (s Site) pods(namespace, service string, labels map[string]string) []inventory.Workload {
	svc, _ := s.service(namespace, service)
	var out []inventory.Workload
	for _, w := range svc.Workloads {
		if hasAll(w.Labels, labels) {
			out = append(out, w)
		}
	}
	return out
}

// health is the ready part of some pods. Each kind of pods counts as much as
// any other: how many there are is not known. Where the cluster was never
// observed, what is said of exactly these pods holds, or that all is well.
func (s Site) health(w World, p pods) *big.Rat {
	found := s.pods(p.namespace, p.service, p.labels)
	switch {
	case w.lost(s.Cluster):
		return zero()
	case !s.Observed:
		return w.ready(p)
	case s.selectsNothing(p), w.Complete && len(found) == 0:
		return w.ready(p)
	case len(found) == 0:
		return zero()
	}
	out := zero()
	for _, kind := range found {
		out.Add(out, w.ready(pods{p.cluster, p.namespace, p.service, kind.Labels}))
	}
	return out.Quo(out, big.NewRat(int64(len(found)), 1))
}

// selectsNothing tells whether a Service has no selector: somebody else keeps
// its endpoints, as Kubernetes does those of its API server, and nothing is
// known of them.
func (s Site) selectsNothing(p pods) bool {
	svc, there := s.service(p.namespace, p.service)
	return there && len(svc.Selector) == 0 && len(svc.Workloads) == 0 && len(p.labels) == 0
}

// identity is who pods are in their mesh.
func (s Site) identity(namespace string, w inventory.Workload) string {
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", s.TrustDomain, namespace, w.ServiceAccount)
}

// itself is a connection to a Service of the cluster's own that nothing decides
// over but the cluster.
func (s Site) itself(w World, n name, r Request) Answer {
	svc, ok := s.service(n.namespace, n.service)
	known := slices.ContainsFunc(svc.Ports, func(p inventoryPort) bool {
		return r.to(p.Port, p.Transport)
	})
	if !ok || !known || n.clusterSet {
		return ended(NoRoute, s.Cluster+" has no such Service").Early
	}
	out := Share{Cluster: s.Cluster, Namespace: n.namespace, Service: n.service, Port: r.Port, Part: zero()}
	if s.health(w, pods{s.Cluster, n.namespace, n.service, nil}).Sign() > 0 {
		out.Part = one()
	}
	return Answer{}.serve([]Share{out})
}
