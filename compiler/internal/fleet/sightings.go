// SPDX-License-Identifier: Apache-2.0

package fleet

import "github.com/fairlead/fairlead/compiler/inventory"

// Sighting is what was observed of a Service in a cluster.
type Sighting struct {
	Cluster *Cluster
	Service *inventory.Service
}

// known takes in what was observed of the clusters of a set.
func (b *builder) known(s *Set) {
	b.each(len(s.Clusters), func(b *builder, i int) {
		if facts, ok := b.inv.Find(s.Clusters[i].Name); ok {
			s.Clusters[i].Facts = b.facts(facts)
		}
	})
	for _, c := range s.Clusters {
		for i := range c.Facts.Services {
			svc := &c.Facts.Services[i]
			b.shows[svc.Name] = append(b.shows[svc.Name], Sighting{c, svc})
		}
	}
}

// Shown returns what was observed of the Service in the clusters of the set that
// have it, by name, whoever exports it.
func (s *Service) Shown() []Sighting { return s.shown }

// in returns what was observed of the Service in a cluster, nil where there is
// none.
func (s *Service) in(c *Cluster) *inventory.Service {
	for i := range s.shown {
		if s.shown[i].Cluster == c {
			return s.shown[i].Service
		}
	}
	return nil
}
