// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/allot"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Part is a service in one cluster, or a subset of its pods there, under a name
// of its own: at a gateway an import is the union of its exporters, and cannot
// carry the weight of one of them.
type Part struct {
	// Service whose pods they are, and Cluster that has them.
	Service *Service
	Cluster *Cluster
	// Labels of the subset; none: every pod.
	Labels map[string]string
	// Name of the Service, the export and the import, in the service's namespace.
	Name string
	// Users are the policies that send requests there, by name and gateway.
	Users []PartUser
	// Export and Virtual are its export address and its clusterset IP; not valid
	// where the cluster has no tunnels, and where only its own gateways ask.
	Export, Virtual netip.Addr
}

// PartUser is a policy at the gateways of a cluster.
type PartUser struct {
	Policy  *Policy
	Cluster *Cluster
}

// Key is namespace/name.
func (p *Part) Key() string { return p.Service.Namespace + "/" + p.Name }

// Remote tells whether a gateway of another cluster asks for the part.
func (p *Part) Remote() bool {
	return slices.ContainsFunc(p.Users, func(u PartUser) bool { return u.Cluster != p.Cluster })
}

// partHash is how much of a digest tells the subsets of one service apart.
const partHash = 8

// partName names the pods of a service with these labels in a cluster.
func partName(service, cluster string, labels map[string]string) string {
	name := service + "-" + cluster
	if len(labels) == 0 {
		return name
	}
	sum := sha256.Sum256([]byte(labelsText(labels)))
	return name + "-" + hex.EncodeToString(sum[:])[:partHash]
}

// Part returns the part that a backend is at a gateway of a cluster; nil where
// it is the service of that cluster as it is, or is not known.
func (f *Fleet) Part(of *Service, b Backend, gateway *Cluster) *Part {
	if b.Cluster == gateway && len(b.Subset) == 0 {
		return nil
	}
	return f.partOf[partKey(of, b)]
}

// partKey tells the pods that a backend of a service is from all others.
func partKey(of *Service, b Backend) string {
	return fmt.Sprintf("%s %s %s %s %s", of.Set.Name, cmp.Or(b.Namespace, of.Namespace), cmp.Or(b.Service, of.Name), b.Cluster.Name, labelsText(b.Subset))
}

// labelsText writes labels in order.
func labelsText(labels map[string]string) string {
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&out, "%s=%s\n", k, labels[k])
	}
	return out.String()
}

// parts finds everything that gateways send requests to.
func (b *builder) parts() {
	b.fleet.partOf = map[string]*Part{}
	for _, s := range b.fleet.Services {
		for _, p := range s.Policies {
			for _, c := range p.Consumers {
				if len(p.Gateways) == 0 || c.NorthSouth != v1alpha1.NorthSouthEnvoyGateway {
					continue
				}
				for _, backend := range s.gatewayBackends(p, c) {
					b.part(s, backend, PartUser{p, c})
				}
			}
		}
	}
	slices.SortFunc(b.fleet.Parts, func(x, y *Part) int {
		return cmp.Or(cmp.Compare(x.Key(), y.Key()), cmp.Compare(x.Cluster.Name, y.Cluster.Name), cmp.Compare(x.Service.Set.Name, y.Service.Set.Name))
	})
	b.checkPartNames()
}

// gatewayBackends are those that a policy sends requests to at a gateway.
func (s *Service) gatewayBackends(p *Policy, c *Cluster) []Backend {
	var out []Backend
	for _, r := range p.Rules {
		if !r.Answers() {
			out = append(out, slices.Concat(s.Tiers(r, c)...)...)
		}
		if r.Mirror != nil {
			out = append(out, *r.Mirror)
		}
	}
	return slices.DeleteFunc(out, func(b Backend) bool { return b.Weight == 0 || b.Lost })
}

// part notes that a policy needs a part.
func (b *builder) part(s *Service, backend Backend, user PartUser) {
	if backend.Cluster == user.Cluster && len(backend.Subset) == 0 {
		return
	}
	found := b.fleet.Part(s, backend, user.Cluster)
	if found == nil {
		of := b.service(s.Set, cmp.Or(backend.Namespace, s.Namespace), cmp.Or(backend.Service, s.Name))
		if of == nil {
			return // reported where backends are checked
		}
		found = &Part{Service: of, Cluster: backend.Cluster, Labels: backend.Subset, Name: partName(of.Name, backend.Cluster.Name, backend.Subset)}
		b.fleet.Parts = append(b.fleet.Parts, found)
		b.fleet.partOf[partKey(s, backend)] = found
		if over := len(found.Name) - maxLabel; over > 0 {
			b.report(mistake{code: CodePartName, at: user.Policy.At(backend.Path), fix: fmt.Sprintf("shorten the service or the cluster by %d characters", over)},
				"the Service for this backend would be called %s, and names of Services have at most %d characters", found.Name, maxLabel)
		}
	}
	if !slices.Contains(found.Users, user) {
		found.Users = append(found.Users, user)
	}
}

// service finds a governed service.
func (b *builder) service(set *Set, namespace, name string) *Service {
	return b.governed[[3]string{set.Name, namespace, name}]
}

// maxLabel is the longest name of a Service (RFC 1123 label).
const maxLabel = 63

// checkPartNames: a part may be called like no other part, and like no service
// that policies speak of.
func (b *builder) checkPartNames() {
	if len(b.fleet.Parts) == 0 {
		return
	}
	type named struct{ set, key string }
	taken := map[named]diag.Position{}
	for _, s := range b.fleet.Services {
		taken[named{s.Set.Name, s.Key()}] = s.Producer.At("spec.service.name")
	}
	for _, p := range b.fleet.Parts {
		at := p.Users[0].Policy.At("spec.service.name")
		k := named{p.Service.Set.Name, p.Key()}
		if other, ok := taken[k]; ok {
			b.report(mistake{code: CodePartName, at: at, fix: "rename one of the services", related: also(other, "the other one")},
				"the Service for pods of %s in cluster %s would be called %s, and that name is taken", p.Service.Key(), p.Cluster.Name, p.Name)
			continue
		}
		taken[k] = at
	}
}

// CodePartName is the code of names that follow from backends at gateways.
const CodePartName = "FL1330"

// partCodes are the codes of this file.
func partCodes() []diag.Code {
	return []diag.Code{{ID: CodePartName, Title: "name of a backend at a gateway",
		Doc: "At a gateway each backend becomes a Service of its own, called after the service and the cluster. The name is too long, or something else has it."}}
}

// partExports are the names of the export addresses of a cluster's parts.
func (b *builder) partExports(c *Cluster) []allot.Name {
	var out []allot.Name
	for _, p := range b.fleet.Parts {
		if p.Cluster == c && p.Remote() {
			out = append(out, allot.Name{Pool: inventory.PoolExport + c.Name, Key: p.Key()})
		}
	}
	return out
}

// takePartExports gives the parts of a cluster what they were allotted.
func (b *builder) takePartExports(c *Cluster, got map[allot.Name]netip.Prefix) {
	for _, p := range b.fleet.Parts {
		name := allot.Name{Pool: inventory.PoolExport + c.Name, Key: p.Key()}
		if part, ok := got[name]; ok && p.Cluster == c && p.Remote() {
			p.Export = part.Addr()
			b.keep(name.Pool, name.Key, part.Addr().String())
		}
	}
}

// partVirtuals are the names of the clusterset IPs of the parts of sets that
// share a range.
func (b *builder) partVirtuals(virtual netip.Prefix) []allot.Name {
	var out []allot.Name
	for _, p := range b.fleet.Parts {
		if p.Service.Set.Virtual == virtual && p.Remote() {
			out = append(out, virtualName(p.Key()))
		}
	}
	return out
}

// takePartVirtuals gives parts what they were allotted.
func (b *builder) takePartVirtuals(virtual netip.Prefix, got map[allot.Name]netip.Prefix) {
	for _, p := range b.fleet.Parts {
		if p.Service.Set.Virtual == virtual && p.Remote() {
			p.Virtual = got[virtualName(p.Key())].Addr()
		}
	}
}
