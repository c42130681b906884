// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math/big"

	"github.com/fairlead/fairlead/compiler/diag"
)

// Candidate is a backend that a rule may send requests to.
type Candidate struct {
	Share
	// Weight inside the tier.
	Weight int64
	// Health is the ready part of the backend's pods, as whoever chooses sees it.
	Health *big.Rat
	// Alive: whoever is sent there is served. Where Health is what is really so,
	// Alive says nothing else.
	Alive bool
	// Local: in the caller's own cluster. Member: of the caller's control plane.
	// Near: the caller's proxy sees its pods, and no gateway in front of them. Up:
	// the cluster is not lost.
	Local, Member, Near, Up bool
	// Known: who the pods are was observed. There: the cluster has the Service,
	// or nobody looked. Gateways is the number of addresses
	// at which others reach the cluster.
	// Pods are those that are ready; one of each kind where all are.
	// Kinds is the number of kinds of pods.
	Known, There    bool
	Gateways, Kinds int64
	Pods            *big.Rat
	// Shut: the backend's pods let the caller not in. AlikeShut: nor where
	// clusters of one trust domain are the same.
	Shut, AlikeShut bool
	// Plane is the control plane that the pods' gateway shares with those of other
	// clusters, where it is not the caller's. Crowded: another cluster of its control
	// plane is in the same network, the caller's or not.
	Plane   string
	Crowded bool
	// Gone: its cluster is on its way out of the set.
	Gone bool
	// Other: it is not the policy's own service. Asked is the port that the policy
	// gives it; zero for the one that was called.
	Other bool
	Asked int32
	// At is where the backend is written.
	At diag.Position
}

// Choice is how requests are shared between backends.
type Choice struct {
	// Tiers, best first. Weights may be zero.
	Tiers [][]Candidate
	// MinHealthy part of its pods that must be ready for a backend to keep its
	// whole share, above 0 and at most 1.
	MinHealthy *big.Rat
	// Chained, Pooled, Joint, HeadOnly and ByPods are what degradations make of the
	// choice; see there.
	Chained, Pooled, Joint, HeadOnly, ByPods bool
	// Apart: only backends of the own service and of one port take over from each
	// other. Shared: one istiod configures several clusters, the caller's among them.
	Apart, Shared bool
	// Known are the clusters that export the service and that the caller's control
	// plane knows the pods of, where it is HeadOnly.
	Known []string
	// Unmixed: a chain is its head alone where its clusters of another control
	// plane cannot be told apart.
	Unmixed bool
}

// Shares computes what each backend gets.
//
//	offered(0) = 1
//	in tier t:   s(b) = offered(t) · w(b) ÷ Σw      kept(b) = s(b) · min(1, h(b) ÷ m)
//	offered(t+1) = Σ (s(b) − kept(b))
//
// What is left after the last tier is added to the kept shares in proportion. If
// nothing was kept nobody serves.
func (c Choice) Shares() []Share {
	switch {
	case c.Joint:
		return c.joint()
	case c.Chained:
		return c.chained()
	}
	var out []Share
	offered, total := one(), zero()
	for _, tier := range c.Tiers {
		weights := sum(tier)
		if weights == 0 {
			continue
		}
		left := zero()
		for _, b := range tier {
			s := times(offered, big.NewRat(b.Weight, weights))
			kept := times(s, c.keeps(b.Health))
			left.Add(left, new(big.Rat).Sub(s, kept))
			total.Add(total, kept)
			out = append(out, b.part(kept))
		}
		offered = left
	}
	if total.Sign() == 0 {
		return nil
	}
	for i, s := range out {
		out[i].Part = new(big.Rat).Quo(s.Part, total)
	}
	return out
}

// keeps is the part of its share that a backend of some health keeps.
func (c Choice) keeps(health *big.Rat) *big.Rat {
	return least(one(), new(big.Rat).Quo(health, c.MinHealthy))
}

// part is what the backend serves of what it is sent.
func (b Candidate) part(sent *big.Rat) Share {
	s := b.Share
	s.Part = sent
	if !b.Alive || b.Shut {
		s.Part = zero()
	}
	return s
}

// sum adds the weights of a tier.
func sum(tier []Candidate) int64 {
	out := int64(0)
	for _, b := range tier {
		out += b.Weight
	}
	return out
}

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}
