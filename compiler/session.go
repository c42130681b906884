// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"io/fs"
	"reflect"
	"sync"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fingerprint"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// Session compiles one repository again and again, and does again only what
// changed. Its zero value is ready for use; it is safe for concurrent use, one
// compile at a time.
//
// It remembers each file by the digest of its bytes, with the documents in it
// and their mistakes, and each service by the fingerprint of everything that its
// objects follow from, with those objects in their encoded form. What the last
// compile did not use is forgotten: a Session holds as much as one Result and
// the documents that it came from.
type Session struct {
	mu        sync.Mutex
	documents source.Cache
	hasher    *fingerprint.Hasher

	// sets is the fingerprint of the ClusterSets of this compile and of what was
	// observed of their clusters.
	sets fingerprint.Sum

	// guards what follows, which all goroutines of one compile use.
	units sync.Mutex
	// before are the units that the last compile used, now those of this one.
	before, now map[remembered]*unit
}

// remembered is what a unit follows from.
type remembered struct{ sets, service fingerprint.Sum }

// Compile returns what the function Compile returns. The Result shares memory
// with later ones: it must not be changed.
func (s *Session) Compile(files fs.FS, inv inventory.Inventory) (Result, []diag.Diagnostic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasher == nil {
		s.hasher = fingerprint.New(fleetNames())
	}
	s.now = map[remembered]*unit{}
	return (&compilation{inv: inv, session: s}).run(files)
}

// fleetNames are the parts of a fleet that are identified elsewhere. Sets and
// their clusters are part of every key, and policies are written once, below the
// service.
func fleetNames() fingerprint.Names {
	return fingerprint.Names{
		reflect.TypeFor[*fleet.Set]():     func(v any) string { return v.(*fleet.Set).Name },
		reflect.TypeFor[*fleet.Cluster](): func(v any) string { return v.(*fleet.Cluster).Name },
		reflect.TypeFor[*fleet.Policy]():  func(v any) string { return v.(*fleet.Policy).Name },
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
			all = append(all, &one, c.views[member.Name].facts.Foreign)
		}
	}
	s.sets = s.hasher.Of(all...)
}

// key identifies a service of a compile.
func (s *Session) key(c *compilation, service *fleet.Service) remembered {
	all := append(make([]any, 0, 1+len(service.Policies)+2*len(service.Shown())), service)
	for _, p := range service.Policies {
		all = append(all, p)
	}
	for _, member := range service.Shown() {
		facts, _ := member.Facts.Service(service.Namespace, service.Name)
		all = append(all, member.Name, facts)
	}
	return remembered{s.sets, s.hasher.Of(all...)}
}

// recall finds the unit of before; nil where there is none.
func (s *Session) recall(key remembered) *unit {
	s.units.Lock()
	defer s.units.Unlock()
	u := s.before[key]
	if u != nil {
		s.now[key] = u
	}
	return u
}

// remember keeps a unit for the next compile.
func (s *Session) remember(key remembered, u *unit) {
	s.units.Lock()
	defer s.units.Unlock()
	s.now[key] = u
}

// forget drops what this compile did not use.
func (s *Session) forget() { s.before, s.now = s.now, nil }
