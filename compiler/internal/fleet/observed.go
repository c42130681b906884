// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// observed compares what documents speak of with what clusters have. It rejects
// nothing: what a cluster lacks today it may have tomorrow.
func (b *builder) observed() {
	calls := b.calls()
	for _, set := range b.fleet.Sets {
		for _, c := range set.Clusters {
			b.observedRouting(c)
			if calls[c] != nil {
				b.observedAmbient(c)
				b.observedUnmeshed(c, calls[c])
			}
		}
		b.observedRoots(set)
	}
}

// observedService compares what is said of one service with what clusters have.
func (b *builder) observedService(s *Service) {
	b.observedPorts(s)
	for _, p := range s.Policies {
		for _, r := range p.Rules {
			for _, backend := range r.Backends {
				b.observedBackend(s, p, backend)
			}
			if r.Mirror != nil {
				b.observedBackend(s, p, *r.Mirror)
			}
		}
	}
}

// calls are the namespaces of what is called in a mesh, for clusters with
// callers of which some may have no sidecar.
func (b *builder) calls() map[*Cluster]map[string]bool {
	out := map[*Cluster]map[string]bool{}
	for _, s := range b.fleet.Services {
		for _, p := range s.Policies {
			for _, c := range p.Consumers {
				if !p.Mesh || c.EastWest != v1alpha1.EastWestIstio || len(c.Facts.Ambient)+len(c.Facts.Unmeshed) == 0 {
					continue
				}
				if out[c] == nil {
					out[c] = map[string]bool{}
				}
				out[c][p.Namespace] = true
			}
		}
	}
	return out
}

// missed lists what is missing, each thing once.
func (b *builder) missed() []Missing {
	noted, out := make(map[Missing]bool, len(b.absent)), b.absent[:0]
	for _, m := range b.absent {
		if !noted[m] {
			noted[m] = true
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(x, y Missing) int {
		return cmp.Or(byName(x.Cluster, y.Cluster), cmp.Compare(x.Message, y.Message))
	})
	return out
}

// missing notes what a cluster lacks at everyone whom a policy governs, or at
// that cluster alone where the ClusterSet asks for it.
func (b *builder) missing(at []*Cluster, p *Policy, format string, args ...any) {
	for _, c := range at {
		b.absent = append(b.absent, Missing{Cluster: c, Policy: p, Message: fmt.Sprintf(format, args...)})
	}
}

// observedPorts: a port that a policy lists may not exist in an exporter.
func (b *builder) observedPorts(s *Service) {
	if !s.PortsGiven() {
		return
	}
	for _, e := range s.Exporters {
		svc := s.in(e)
		if svc == nil || svc.ExternalName || e.Facts.State != Observed {
			continue
		}
		for _, port := range s.Ports {
			if !slices.ContainsFunc(svc.Ports, port.seenAs) {
				b.missing([]*Cluster{e}, s.PortsFrom, "port %d/%s (%s): Service %s in %s does not have it, but %s", port.Number, port.Transport(),
					s.PortsFrom.At(port.Path+".port"), s.Key(), e.Name, portList(svc.Ports))
			}
		}
	}
}

func portList(ports []inventory.Port) string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprintf("%d/%s", p.Port, cmp.Or(p.Transport, string(v1alpha1.TransportTCP))))
	}
	if len(out) == 0 {
		return "no port at all"
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// observedBackend: the pods of a subset, or the service of another policy, may
// not be there.
func (b *builder) observedBackend(s *Service, p *Policy, backend Backend) {
	of := s
	if !backend.Own() {
		of = backend.Other
	}
	c := backend.Cluster
	if of == nil || backend.Lost || c.Facts.State != Observed {
		return
	}
	if of != s && of.Adopted && !of.ExportedBy(c) {
		b.missing(p.Consumers, p, "backend (%s): there is no ServiceExport of %s in %s yet", p.At(backend.Path), of.Key(), c.Name)
		return
	}
	svc := of.in(c)
	if svc == nil {
		return
	}
	if backend.Port != 0 && !of.PortsGiven() && !slices.ContainsFunc(svc.Ports, func(q inventory.Port) bool { return q.Port == backend.Port }) {
		b.missing(p.Consumers, p, "port %d (%s): Service %s in %s does not have it, but %s", backend.Port, p.At(backend.Path+".port"), of.Key(), c.Name, portList(svc.Ports))
	}
	if len(backend.Subset) == 0 || len(svc.Workloads) == 0 ||
		slices.ContainsFunc(svc.Workloads, func(w inventory.Workload) bool { return hasAll(w.Labels, backend.Subset) }) {
		return
	}
	b.missing(p.Consumers, p, "subset (%s): no pod of Service %s in %s has these labels; there are pods with %s", p.At(backend.Path+".subset"), of.Key(), c.Name,
		valuesOf(svc.Workloads, backend.Subset))
}

// valuesOf lists which values pods have of the labels that a subset names.
func valuesOf(pods []inventory.Workload, subset map[string]string) string {
	var out []string
	for _, w := range pods {
		for name := range subset {
			if v, ok := w.Labels[name]; ok {
				out = append(out, shown(name+"="+v))
			}
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return "none of them"
	}
	return strings.Join(out[:min(len(out), maxDoubts)], ", ")
}

// ebpfRouting is what the inventory calls Cilium's host routing that passes
// nftables by.
const ebpfRouting = "ebpf"

// observedRouting: virtual IPs are nftables rules, and not every CNI lets
// packets meet them.
func (b *builder) observedRouting(c *Cluster) {
	if c.EastWest == v1alpha1.EastWestFairlead && !c.Removed() && c.Facts.HostRouting == ebpfRouting {
		b.missing([]*Cluster{c}, nil, "eastWest fairlead (%s): Cilium in %s routes pods' packets past nftables; set its bpf.hostLegacyRouting to true",
			c.At(".providers.eastWest"), c.Name)
	}
}

// observedAmbient: pods in an ambient mesh have no sidecar that could route what
// they call.
func (b *builder) observedAmbient(c *Cluster) {
	if len(c.Facts.Ambient) == 0 {
		return
	}
	names := c.Facts.Ambient[:min(len(c.Facts.Ambient), maxDoubts)]
	b.missing([]*Cluster{c}, nil, "eastWest istio (%s): pods of namespaces %s in %s are in an ambient mesh, and no policy governs what they call; give them sidecars",
		c.At(".providers.eastWest"), strings.Join(names, ", "), c.Name)
}

// observedUnmeshed: pods without a sidecar call past every policy. Who calls is
// not known; mostly it is pods of the same namespace, and a namespace where none
// has a sidecar is not in the mesh.
func (b *builder) observedUnmeshed(c *Cluster, namespaces map[string]bool) {
	names := slices.DeleteFunc(slices.Clone(c.Facts.Unmeshed), func(n string) bool { return !namespaces[n] || slices.Contains(c.Facts.Ambient, n) })
	if len(names) > 0 {
		b.missing([]*Cluster{c}, nil, "eastWest istio (%s): no pod of a Service of namespaces %s in %s has a sidecar, and no policy governs what they call; give them sidecars",
			c.At(".providers.eastWest"), strings.Join(names[:min(len(names), maxDoubts)], ", "), c.Name)
	}
}

// observedRoots: meshes that trust no root in common refuse each other. Who
// agrees with fewer others is not believed; where as many agree, nobody can
// tell who is right.
func (b *builder) observedRoots(s *Set) {
	var meshes []*Cluster
	for _, c := range s.Clusters {
		if c.Mesh.ControlPlane != nil && len(c.Facts.Roots) > 0 {
			meshes = append(meshes, c)
		}
	}
	against, agree := map[*Cluster][]*Cluster{}, map[*Cluster]int{}
	for i, x := range meshes {
		for _, y := range meshes[:i] {
			switch {
			case !x.JoinedWith(y):
			case slices.ContainsFunc(x.Facts.Roots, func(r string) bool { return slices.Contains(y.Facts.Roots, r) }):
				agree[x]++
				agree[y]++
			default:
				against[x], against[y] = append(against[x], y), append(against[y], x)
			}
		}
	}
	for _, c := range meshes {
		others := slices.DeleteFunc(unique(against[c]), func(o *Cluster) bool { return agree[c] > agree[o] })
		if len(others) == 0 {
			continue
		}
		b.quarantined = append(b.quarantined, Quarantined{Cluster: c.Name, Fact: "roots of its mesh " + rootsOf(c),
			Message: fmt.Sprintf("%s %s %s: without a root in common their pods refuse each other", comma(others), trusts(others), rootsOf(others[0]))})
	}
}

func trusts(clusters []*Cluster) string {
	if len(clusters) == 1 {
		return "trusts"
	}
	return "trust"
}

// rootsOf writes the roots of a cluster, each by the beginning of its digest.
func rootsOf(c *Cluster) string {
	const digits = 12
	var out []string
	for _, r := range c.Facts.Roots {
		out = append(out, shown(r[:min(len(r), digits)]))
	}
	slices.Sort(out)
	return strings.Join(out[:min(len(out), maxDoubts)], "+")
}
