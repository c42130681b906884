// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"io/fs"
	"net/netip"
	"reflect"
	"sync"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fingerprint"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// Session compiles one repository again and again, and does again only what
// changed. Its zero value is ready for use; it is safe for concurrent use, one
// compile at a time.
//
// It remembers each document by its place and its text, with what it says and
// its mistakes, and the objects of each service, in their encoded form, by
// everything that they follow from: the documents, and the fingerprint of the
// rest. What the last compile did not use is forgotten: a Session holds as much
// as one Result and the documents that it came from.
type Session struct {
	mu        sync.Mutex
	documents source.Cache
	fleet     fleet.Memory
	hasher    *fingerprint.Hasher

	// sets is the fingerprint of the ClusterSets of this compile and of what was
	// observed of their clusters.
	sets fingerprint.Sum

	// guards what follows, which all goroutines of one compile use.
	units sync.Mutex
	// before are the units that the last compile used, now those of this one.
	before, now map[remembered]*unit
}

// remembered is what a unit follows from: that of one service, or the shared one.
type remembered struct {
	sets, rest fingerprint.Sum
	shared     bool
}

// Compile returns what the function Compile returns. The Result shares memory
// with later ones: it must not be changed.
func (s *Session) Compile(files fs.FS, inv inventory.Inventory) (Result, []diag.Diagnostic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasher == nil {
		s.hasher = fingerprint.New(fleetNames())
	}
	s.now = make(map[remembered]*unit, len(s.before))
	return (&compilation{inv: inv, session: s}).run(files)
}

// fleetNames are the parts of a fleet that are identified elsewhere: sets and
// their clusters are part of every key, policies by their documents.
func fleetNames() fingerprint.Names {
	return fingerprint.Names{
		reflect.TypeFor[*fleet.Set]():     func(v any) string { return v.(*fleet.Set).Name },
		reflect.TypeFor[*fleet.Cluster](): func(v any) string { return v.(*fleet.Cluster).Name },
		reflect.TypeFor[*fleet.Policy]():  func(v any) string { return string(plan.Fragment(v.(*fleet.Policy))) },
	}
}

// survey takes the fingerprint of what all services of a compile share.
func (s *Session) survey(c *compilation) {
	var all []any
	for _, set := range c.fleet.Sets {
		all = append(all, set)
		for _, member := range set.Clusters {
			// What was observed of Services counts for the service of their name.
			one := *member
			one.Facts = one.Facts.WithoutServices()
			all = append(all, &one)
		}
	}
	s.sets = s.hasher.Of(all...)
}

// serviceInputs are what the objects of a service follow from besides the sets.
type serviceInputs struct {
	service           fingerprint.Sum
	virtual, virtual6 netip.Addr
	exporters         []exporter
}

// exporter is a cluster with the addresses that a service was allotted there.
type exporter struct {
	cluster      string
	part, export netip.Addr
}

func inputsOf(s *fleet.Service) serviceInputs {
	in := serviceInputs{service: s.Sum, virtual: s.Virtual, virtual6: s.Virtual6, exporters: make([]exporter, 0, len(s.Exporters))}
	for _, e := range s.Exporters {
		in.exporters = append(in.exporters, exporter{e.Name, s.Parts[e.Name], s.Exports[e.Name]})
	}
	return in
}

// key identifies a service that stands alone.
func (s *Session) key(service *fleet.Service) remembered {
	in := inputsOf(service)
	return remembered{sets: s.sets, rest: s.hasher.Of(&in)}
}

// sharedInputs are what the unit of no single service follows from besides the
// sets.
type sharedInputs struct {
	services []serviceInputs
	parts    []fleet.Part
	missing  []fleet.Missing
}

// sharedKey identifies the unit of no single service.
func (s *Session) sharedKey(f *fleet.Fleet) remembered {
	in := sharedInputs{missing: f.Missing}
	for _, one := range f.Services {
		if !plan.Alone(one) {
			in.services = append(in.services, inputsOf(one))
		}
	}
	for _, p := range f.Parts {
		// What it is of, and who asks for it, follows from the documents.
		in.parts = append(in.parts, fleet.Part{Name: p.Name, Cluster: p.Cluster, Export: p.Export, Virtual: p.Virtual})
	}
	return remembered{sets: s.sets, rest: s.hasher.Of(&in), shared: true}
}

// recall finds the unit of before, or makes it. It remembers what has no
// warning: that has a place in a file of the ClusterSets, which can move while
// they stay the same.
func (s *Session) recall(key remembered, make func() *unit) *unit {
	s.units.Lock()
	u := s.before[key]
	s.units.Unlock()
	if u == nil {
		u = make()
	}
	if len(u.diags) == 0 {
		s.units.Lock()
		s.now[key] = u
		s.units.Unlock()
	}
	return u
}

// forget drops what this compile did not use.
func (s *Session) forget() { s.before, s.now = s.now, nil }
