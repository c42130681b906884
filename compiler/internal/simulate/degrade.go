// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math/big"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Degradation is what a provider makes of a meaning where the author of the
// policy has accepted it.
type Degradation struct {
	// Name as in plan.Degradations.
	Name  string
	Apply func(Meaning) Meaning
}

// Degradations returns them in the order in which they apply: what is known of
// backends first, then how they share.
func Degradations() []Degradation {
	return []Degradation{
		{plan.MinHealthyFixed, fixedThreshold},
		{plan.GatewayHealth, gatewayHealth},
		{plan.FixedParts, fixedParts},
		{plan.PooledFailover, pooledFailover},
		{plan.TwoTiers, twoTiers},
		{plan.FailbackAtOnce, noChange},
		{plan.AffinityAcross, noChange},
		{plan.WeightsIgnored, byPods},
		{plan.AffinityAtZero, atZero},
		{plan.HeadOnly, headOnly},
		{plan.ServerNameOnly, noChange}, // who calls asks for the name in full
		{plan.FallbackByPods, fallbackByPods},
		{plan.OtherAlone, otherAlone},
		{plan.ClusterIdentityLost, alike},
	}
}

// Degrade applies the degradations of these names.
func (m Meaning) Degrade(names []string) Meaning {
	for _, d := range Degradations() {
		if slices.Contains(names, d.Name) {
			m = d.Apply(m)
		}
	}
	return m
}

// fixedThreshold has Envoy's own threshold, whatever the policy says.
func fixedThreshold(m Meaning) Meaning {
	if m.Choice != nil {
		c := *m.Choice
		c.MinHealthy = envoyThreshold
		m.Choice = &c
	}
	return m
}

// The percentages that count as equal to Envoy's threshold.
var equalFrom, equalTo = big.NewRat(70, 100), big.NewRat(72, 100)

// For is the meaning as a provider can be compared with it: Envoy has a threshold
// of its own, which counts as equal to those around it.
func (m Meaning) For(provider string) Meaning {
	if provider == string(v1alpha1.EastWestFairlead) || m.Choice == nil || m.Choice.MinHealthy.Cmp(equalFrom) < 0 || m.Choice.MinHealthy.Cmp(equalTo) > 0 {
		return m
	}
	return fixedThreshold(m)
}

// Differing names accepted degradations that explain the answer together, none of
// which could be left out. Where either of two explains it, it is the later one.
func (m Meaning) Differing() []string {
	out := m.Accepted()
	with := m.Degrade(out).Answer()
	for _, name := range slices.Clone(out) {
		others := slices.DeleteFunc(slices.Clone(out), func(n string) bool { return n == name })
		if Differ(with, m.Degrade(others).Answer()) == "" {
			out = others
		}
	}
	return out
}

// gatewayHealth: all pods of a cluster stand behind its gateway, unless they are
// the caller's own at the head of a chain.
func gatewayHealth(m Meaning) Meaning {
	if m.gateway && m.Provider() == string(v1alpha1.NorthSouthEnvoyGateway) {
		return m.each(func(b Candidate) Candidate {
			if !b.Local {
				b.Health = upOrDown(b)
			}
			return b
		})
	}
	return chained(m, true)
}

// upOrDown is the health of a cluster of which only the gateway is seen.
func upOrDown(b Candidate) *big.Rat {
	if b.Up && b.There {
		return one()
	}
	return zero()
}

// fixedParts: subsets of the caller's own cluster keep to their parts.
func fixedParts(m Meaning) Meaning { return chained(m, false) }

// chained gives every backend of the first tier a chain of its own, where there
// are backends in other clusters, or where there are none.
func chained(m Meaning, remote bool) Meaning {
	if m.Choice == nil {
		return m
	}
	there := slices.ContainsFunc(slices.Concat(m.Choice.Tiers...), func(b Candidate) bool { return b.Weight > 0 && !b.Near })
	if c := *m.Choice; there == remote {
		c.Chained, c.Shared = true, len(m.meshed()) > 1
		m.Choice = &c
	}
	return m
}

// headOnly leaves a chain to its head where one istiod configures several
// clusters and cannot say what stands below.
func headOnly(m Meaning) Meaning {
	all := m.meshed()
	if m.Choice == nil {
		return m
	}
	c := *m.Choice
	c.Unmixed = true
	if len(all) < 2 {
		m.Choice = &c
		return m
	}
	c.HeadOnly, c.Chained, c.Shared = true, true, true
	for _, other := range all {
		if slices.Contains(m.exporters, other) {
			c.Known = append(c.Known, other.Name)
		}
	}
	m.Choice = &c
	return m
}

// otherAlone keeps backends of other services and ports out of each other's
// chains.
func otherAlone(m Meaning) Meaning {
	if m.Choice == nil {
		return m
	}
	c := *m.Choice
	c.Apart, c.Chained, c.Shared = true, true, len(m.meshed()) > 1
	m.Choice = &c
	return m
}

// meshed are the clusters that the istiod of the caller's cluster configures.
func (m Meaning) meshed() []*fleet.Cluster {
	home := m.Caller.Mesh.ControlPlane
	return slices.DeleteFunc(slices.Clone(m.Caller.Set.Clusters), func(c *fleet.Cluster) bool { return home == nil || c.Mesh.ControlPlane != home })
}

// fallbackByPods divides what a chain's head cannot keep by pods.
func fallbackByPods(m Meaning) Meaning {
	if m.Choice == nil || len(m.meshed()) < 2 {
		return m
	}
	c := *m.Choice
	c.ByPods = true
	m.Choice = &c
	return m
}

// pooledFailover judges the backends of a lower tier together. Where the caller's
// proxy sees the pods of all clusters nothing else makes chains of them.
func pooledFailover(m Meaning) Meaning {
	if m.Choice == nil {
		return m
	}
	if len(m.Choice.Tiers) > 1 && len(m.meshed()) > 1 {
		m = chained(m, false)
	}
	c := *m.Choice
	c.Pooled = true
	c.Joint = m.gateway && m.Provider() == string(v1alpha1.NorthSouthEnvoyGateway)
	m.Choice = &c
	return m
}

// joint is the choice where every tier, the first one too, is judged by all of
// its endpoints: pods of the own cluster, and one address of each other.
func (c Choice) joint() []Share {
	var able []*big.Rat
	var levels [][]Candidate
	for t, tier := range c.Tiers {
		up, all := zero(), zero()
		level := slices.DeleteFunc(slices.Clone(tier), func(b Candidate) bool { return b.Weight == 0 })
		for i, b := range level {
			hosts := big.NewRat(1, 1)
			if t > 0 {
				// Lower tiers are addresses, in the own cluster too.
				level[i].Health = upOrDown(b)
			} else if b.Local {
				hosts = big.NewRat(b.Kinds, 1)
			}
			if b.Local && !b.Known && t == 0 || !b.There || b.Gone {
				continue
			}
			up.Add(up, times(hosts, level[i].Health))
			all.Add(all, hosts)
		}
		if all.Sign() > 0 {
			up.Quo(up, all)
		}
		able, levels = append(able, c.keeps(up)), append(levels, level)
	}
	var out []Share
	for t, load := range priorityLoad(able) {
		total := zero()
		for _, b := range levels[t] {
			total.Add(total, times(big.NewRat(b.Weight, 1), c.keeps(b.Health)))
		}
		for _, b := range levels[t] {
			if total.Sign() > 0 {
				weight := times(big.NewRat(b.Weight, 1), c.keeps(b.Health))
				out = append(out, b.part(times(load, weight.Quo(weight, total))))
			}
		}
	}
	return out
}

// noChange: an Answer has no time and no callers that come back.
func noChange(m Meaning) Meaning { return m }

// twoTiers has every backend below the first tier in the second.
func twoTiers(m Meaning) Meaning {
	if m.Choice == nil || len(m.Choice.Tiers) < 3 {
		return m
	}
	c := *m.Choice
	c.Tiers = [][]Candidate{c.Tiers[0], slices.Concat(c.Tiers[1:]...)}
	m.Choice = &c
	return m
}

// byPods gives every pod of a tier the same part.
func byPods(m Meaning) Meaning {
	if m.Choice == nil {
		return m
	}
	c := *m.Choice
	c.Tiers = nil
	for _, tier := range m.Choice.Tiers {
		tier = slices.Clone(tier)
		scale := big.NewInt(1)
		for _, b := range tier {
			scale.Mul(scale, b.Pods.Denom())
		}
		for i, b := range tier {
			if b.Weight > 0 {
				tier[i].Weight = times(b.Pods, new(big.Rat).SetInt(scale)).Num().Int64()
			}
			if b.Health.Sign() > 0 {
				tier[i].Health = one()
			}
		}
		c.Tiers = append(c.Tiers, tier)
	}
	m.Choice = &c
	return m
}

// atZero keeps everything in a tier while one of its pods is ready.
func atZero(m Meaning) Meaning {
	if m.Choice == nil {
		return m
	}
	c := *m.Choice
	c.Tiers = nil
	for _, tier := range m.Choice.Tiers {
		alive := slices.DeleteFunc(slices.Clone(tier), func(b Candidate) bool { return b.Health.Sign() == 0 })
		for i := range alive {
			alive[i].Health = one()
		}
		c.Tiers = append(c.Tiers, alive)
	}
	m.Choice = &c
	return m
}

// alike lets callers in from every cluster of a trust domain.
func alike(m Meaning) Meaning {
	return m.each(func(b Candidate) Candidate {
		b.Shut = b.AlikeShut
		return b
	})
}

// each changes every candidate.
func (m Meaning) each(change func(Candidate) Candidate) Meaning {
	if m.Choice == nil {
		return m
	}
	c := *m.Choice
	c.Tiers = nil
	for _, tier := range m.Choice.Tiers {
		var all []Candidate
		for _, b := range tier {
			all = append(all, change(b))
		}
		c.Tiers = append(c.Tiers, all)
	}
	m.Choice = &c
	return m
}
