// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// vote gathers what clusters say of one thing.
type vote struct {
	answers []answer
}

// answer is one thing that is said, and who says it.
type answer struct {
	word string
	by   []*Cluster
}

// cast notes what a cluster says.
func (v *vote) cast(c *Cluster, word string) {
	i := slices.IndexFunc(v.answers, func(a answer) bool { return a.word == word })
	if i < 0 {
		i = len(v.answers)
		v.answers = append(v.answers, answer{word: word})
	}
	if !slices.Contains(v.answers[i].by, c) {
		v.answers[i].by = append(v.answers[i].by, c)
	}
}

// sorted returns the answers, those of most clusters first, then in the order
// of the clusters that were asked.
func (v *vote) sorted() []answer {
	if len(v.answers) < 2 {
		return v.answers
	}
	out := slices.Clone(v.answers)
	slices.SortStableFunc(out, func(x, y answer) int { return cmp.Compare(len(y.by), len(x.by)) })
	return out
}

// settle returns what most say. Who says something else is quarantined; where
// as many do, nobody can tell who is right, and the service is disputed.
func (b *builder) settle(s *Service, v *vote, what string) string {
	all := v.sorted()
	if len(all) == 0 {
		return ""
	}
	if len(all) > 1 && len(all[1].by) == len(all[0].by) {
		s.Disputed = fmt.Sprintf("%s says that %s is %s %s, but %s says %s: make them the same",
			and(all[0].by), s.Key(), what, all[0].word, and(all[1].by), all[1].word)
		return all[0].word
	}
	for _, a := range all[1:] {
		for _, c := range a.by {
			q := Quarantined{Cluster: c.Name, Fact: fmt.Sprintf("%s as %s %s", s.Key(), what, a.word),
				Message: fmt.Sprintf("%s says %s", and(all[0].by), all[0].word)}
			b.quarantined = append(b.quarantined, q)
		}
	}
	return all[0].word
}

func and(clusters []*Cluster) string { return strings.Join(names(clusters), " and ") }

func headlessWord(headless bool) string {
	if headless {
		return "without a ClusterIP"
	}
	return "with a ClusterIP"
}

// portVote gathers what clusters say of one port.
type portVote struct {
	port            Port
	protocols, name vote
	said            []said
}

type said struct {
	cluster *Cluster
	port    Port
}

func (v *portVote) cast(c *Cluster, p Port) {
	v.protocols.cast(c, string(p.Protocol))
	v.name.cast(c, p.Name)
	v.said = append(v.said, said{c, p})
}

// elect returns the port as most see it. Names may differ: each cluster's own
// endpoints have its own.
func (b *builder) elect(s *Service, v *portVote) Port {
	out := v.port
	if protocols := v.protocols.sorted(); len(protocols) > 1 && !s.PortsGiven() {
		before := s.Disputed
		word := b.settle(s, &v.protocols, fmt.Sprintf("a Service whose port %d is", out.Number))
		out.Protocol = v1alpha1.Protocol(word)
		if !slices.ContainsFunc(s.Exporters, func(c *Cluster) bool { return c.EastWest == v1alpha1.EastWestIstio }) {
			// Tunnels carry connections, whatever is spoken in them.
			s.Disputed = before
		}
	}
	out.Name = v.name.sorted()[0].word
	for _, s := range v.said {
		if s.port.Target != out.Target {
			out.Target = 0 // each cluster's own, where they differ
		}
	}
	for _, s := range v.said {
		if s.port.Name == out.Name && s.port.Protocol == out.Protocol {
			out.AppProtocol = s.port.AppProtocol
			break
		}
	}
	return out
}
