// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// locality finds who is behind a backend of a rule; false where nobody can be.
func (p *passage) locality(c candidateRule, ref backendRef) (locality, bool) {
	out := locality{weight: 1}
	if ref.Weight != nil {
		out.weight = *ref.Weight
	}
	key := cmp.Or(ref.Namespace, c.route.Metadata.Namespace) + "/" + ref.Name
	seen := closest(p.store.traffic, c).Spec.HealthCheck.Passive != nil
	switch cmp.Or(ref.Kind, "Service") {
	case "Service":
		for _, f := range p.pods(p.request.From.Cluster, key, ref.Port) {
			f.healthy, f.alive = p.ready(f)
			out.hosts = append(out.hosts, f.host)
		}
		return out, len(out.hosts) > 0
	case "ServiceImport":
		if !p.store.importsOf[key] {
			return out, false
		}
		for _, cluster := range slices.Sorted(maps.Keys(p.exported)) {
			if p.exported[cluster][key] && cluster != p.request.From.Cluster {
				out.hosts = append(out.hosts, p.remote(cluster, key, ref.Port, seen)...)
			}
		}
		return out, len(out.hosts) > 0
	case "Backend":
		b, ok := p.store.backends[key]
		if !ok || out.weight < 0 {
			return out, false
		}
		if b.Spec.Fallback {
			out.priority = 1
		}
		for _, e := range b.Spec.Endpoints {
			if e.IP == nil {
				continue
			}
			if cluster, service, ok := p.behind(v1alpha1.Address(e.IP.Address), c.route.Metadata.Namespace, e.IP.Port); ok {
				out.hosts = append(out.hosts, p.gateway(cluster, c.route.Metadata.Namespace+"/"+service, e.IP.Port, seen))
			}
		}
		return out, len(out.hosts) > 0
	}
	return out, false
}

// found is one kind of pods behind a Service.
type found struct {
	host
	kind inventory.Workload
}

// pods finds the pods behind a Service of a cluster: one that was there, or one
// that was emitted with a selector. Their share is of the Service of the user's
// that has them, and the labels that the selector adds are the subset.
func (p *passage) pods(cluster, key string, port int32) []found {
	site := p.ground.Sites[cluster]
	for _, svc := range site.Services {
		if svc.Name.String() == key {
			return kinds(site, svc, nil, port)
		}
	}
	for _, s := range p.entries[cluster].services {
		if s.Namespace+"/"+s.Name == key {
			return selected(site, s, port)
		}
	}
	return nil
}

// selected finds the user's Service that an emitted one chooses pods of.
func selected(site Site, s corev1.Service, port int32) []found {
	for _, svc := range site.Services {
		if svc.Namespace != s.Namespace || len(svc.Selector) == 0 || !hasAll(s.Spec.Selector, svc.Selector) {
			continue
		}
		subset := maps.Clone(s.Spec.Selector)
		for k := range svc.Selector {
			delete(subset, k)
		}
		return kinds(site, svc, subset, port)
	}
	return nil
}

func kinds(site Site, svc inventory.Service, subset map[string]string, port int32) []found {
	var out []found
	for _, w := range svc.Workloads {
		if hasAll(w.Labels, subset) {
			share := Share{Cluster: site.Cluster, Namespace: svc.Namespace, Service: svc.Name.Name, Subset: subset, Port: port}
			out = append(out, found{host{share: share}, w})
		}
	}
	return out
}

// remote is what an import has of one cluster: its export address, where there
// is one and a tunnel to it.
func (p *passage) remote(cluster, key string, port int32, seen bool) []host {
	for _, r := range p.l4.nodes[cluster].routes {
		if e := r.Spec.Export; e != nil && r.Namespace+"/"+r.Spec.Service == key && len(e.Addresses) > 0 {
			if _, _, ok := p.behind(e.Addresses[0], r.Namespace, port); ok {
				return []host{p.gateway(cluster, key, port, seen)}
			}
		}
	}
	return nil
}

// behind finds the cluster and the Service of an export address.
func (p *passage) behind(address v1alpha1.Address, namespace string, port int32) (cluster, service string, ok bool) {
	r := p.request
	r.Port = port
	c := connection{L4: p.l4, world: p.world, request: r, home: p.ground.Sites[r.From.Cluster]}
	c.route.Namespace = namespace
	site, service, ok := c.behind(address)
	return site.Cluster, service, ok
}

// gateway is an export address: it takes connections while its cluster is there,
// and whoever is ready behind it serves.
func (p *passage) gateway(cluster, key string, port int32, seen bool) host {
	out := host{healthy: one(), alive: zero()}
	for _, f := range p.pods(cluster, key, port) {
		out.share = f.share
		_, alive := p.ready(f)
		out.alive.Add(out.alive, alive)
	}
	if p.world.lost(cluster) && seen {
		out.healthy = zero()
	}
	return out
}

// ready is the healthy part of some pods, as the gateway sees it and as it is.
func (p *passage) ready(f found) (healthy, alive *big.Rat) {
	if p.world.lost(f.share.Cluster) {
		return zero(), zero()
	}
	r := p.world.ready(pods{f.share.Cluster, f.share.Namespace, f.share.Service, f.kind.Labels})
	return r, r
}
