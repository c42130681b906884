// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/explain"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// renamePolicy tries another name for a policy.
func (e *explainer) renamePolicy(i int) explain.Change {
	return e.rename("metadata.name", e.docs.Policies[i].Name, func(now string) {
		e.docs.Policies[i].Name = now
	})
}

// renameService tries another name for a service, everywhere at once: a name
// that only one place has is a name that nothing has.
func (e *explainer) renameService(i int) explain.Change {
	of := e.docs.Policies[i]
	name := inventory.Name{Namespace: of.Namespace, Name: of.Spec.Service.Name}
	return e.rename("spec.service.name", name.Name, func(now string) {
		for j, p := range e.docs.Policies {
			if p.Namespace == name.Namespace && p.Spec.Service.Name == name.Name {
				e.docs.Policies[j].Spec.Service.Name = now
			}
		}
		for _, c := range e.inv.Clusters {
			for j, s := range c.Services {
				if s.Name == name {
					c.Services[j].Name.Name = now
				}
			}
			for j, x := range c.Exports {
				if x == name {
					c.Exports[j].Name = now
				}
			}
		}
		for j, a := range e.inv.Ledger {
			if a.Key == name.String() || strings.HasPrefix(a.Key, name.String()+"/") {
				e.inv.Ledger[j].Key = name.Namespace + "/" + now + strings.TrimPrefix(a.Key, name.String())
			}
		}
	})
}

// moveNamespace tries another namespace for a policy and its service.
func (e *explainer) moveNamespace(i int) explain.Change {
	namespace := e.docs.Policies[i].Namespace
	return e.rename("metadata.namespace", namespace, func(now string) {
		for j, p := range e.docs.Policies {
			if p.Namespace == namespace {
				e.docs.Policies[j].Namespace = now
			}
		}
		for j, c := range e.inv.Clusters {
			e.inv.Clusters[j].Namespaces = slices.Clone(c.Namespaces)
			explain.Rename(&e.inv.Clusters[j].Namespaces, namespace, now)
			for k, s := range c.Services {
				if s.Namespace == namespace {
					c.Services[k].Namespace = now
				}
			}
			for k, x := range c.Exports {
				if x.Namespace == namespace {
					c.Exports[k].Namespace = now
				}
			}
		}
		for j, a := range e.inv.Ledger {
			if rest, ok := strings.CutPrefix(a.Key, namespace+"/"); ok {
				e.inv.Ledger[j].Key = now + "/" + rest
			}
		}
	})
}

// movePort tries another number for a port, everywhere at once.
func (e *explainer) movePort(i, port int) explain.Change {
	of := e.docs.Policies[i]
	name := inventory.Name{Namespace: of.Namespace, Name: of.Spec.Service.Name}
	number := of.Spec.Service.Ports[port].Port
	path := fmt.Sprintf("spec.service.ports[%d].port", port)
	return e.rename(path, strconv.Itoa(int(number)), func(string) {
		for _, p := range e.docs.Policies {
			for k := range p.Spec.Service.Ports {
				if same := p.Namespace == name.Namespace && p.Spec.Service.Name == name.Name; same && p.Spec.Service.Ports[k].Port == number {
					p.Spec.Service.Ports[k].Port = anotherPort
				}
			}
		}
		for _, c := range e.inv.Clusters {
			for j, s := range c.Services {
				c.Services[j].Ports = slices.Clone(s.Ports)
				for k, q := range s.Ports {
					if s.Name == name && q.Port == number {
						c.Services[j].Ports[k].Port = anotherPort
					}
				}
			}
		}
	})
}

// anotherPort is hardly ever a port of a Service: 1 is tcpmux.
const anotherPort = 1

// renameCluster tries another name for a cluster, everywhere at once.
func (e *explainer) renameCluster(path, name string) explain.Change {
	return e.rename(path, name, func(now string) {
		for i := range e.docs.Policies {
			explain.Rename(&e.docs.Policies[i].Spec, name, now)
		}
		for i := range e.docs.ClusterSets {
			explain.Rename(&e.docs.ClusterSets[i].Spec, name, now)
		}
		for i, c := range e.inv.Clusters {
			if c.Name == name {
				e.inv.Clusters[i].Name = now
			}
		}
		for i := range e.inv.Ledger {
			a := &e.inv.Ledger[i]
			a.From = slices.Clone(a.From)
			explain.Rename(&a.From, name, now)
			parts := strings.Split(a.Key, "/")
			explain.Rename(&parts, name, now)
			a.Key = strings.Join(parts, "/")
			if pool, ok := strings.CutSuffix(a.Pool, "/"+name); ok {
				a.Pool = pool + "/" + now
			}
		}
	})
}

// rename is a change that gives something another name, on copies of all
// documents and facts. What the object is called may follow from it.
func (e *explainer) rename(path, name string, do func(now string)) explain.Change {
	return explain.Change{Path: path, Variants: []func() func(){func() func() {
		docs, inv := e.docs, e.inv
		e.docs, e.inv = copied(docs), copiedFacts(inv)
		now := name + "x"
		e.renamed = [2]string{name, now}
		do(now)
		return func() { e.docs, e.inv, e.renamed = docs, inv, [2]string{} }
	}}}
}

func copied(docs source.Documents) source.Documents {
	docs.Policies, docs.ClusterSets = slices.Clone(docs.Policies), slices.Clone(docs.ClusterSets)
	for i, p := range docs.Policies {
		docs.Policies[i].TrafficPolicy = *p.TrafficPolicy.DeepCopy()
	}
	for i, s := range docs.ClusterSets {
		docs.ClusterSets[i].ClusterSet = *s.ClusterSet.DeepCopy()
	}
	return docs
}

func copiedFacts(inv inventory.Inventory) inventory.Inventory {
	inv.Clusters, inv.Ledger = slices.Clone(inv.Clusters), slices.Clone(inv.Ledger)
	for i, c := range inv.Clusters {
		inv.Clusters[i].Services, inv.Clusters[i].Exports = slices.Clone(c.Services), slices.Clone(c.Exports)
	}
	return inv
}
