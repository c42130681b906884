// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
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

// Differing names the accepted degradations without which the answer would be
// another.
func (m Meaning) Differing() []string {
	all := m.Accepted()
	with := m.Degrade(all).Answer()
	var out []string
	for _, name := range all {
		others := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name })
		if Differ(with, m.Degrade(others).Answer()) != "" {
			out = append(out, name)
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
	there := slices.ContainsFunc(slices.Concat(m.Choice.Tiers...), func(b Candidate) bool { return b.Weight > 0 && !b.Local })
	if c := *m.Choice; there == remote {
		c.Chained = true
		m.Choice = &c
	}
	return m
}

// headOnly leaves a chain to its head where one istiod configures several
// clusters and cannot say what stands below.
func headOnly(m Meaning) Meaning {
	home := m.Caller.Mesh.ControlPlane
	shared := home != nil && slices.ContainsFunc(m.Caller.Set.Clusters, func(c *fleet.Cluster) bool { return c != m.Caller && c.Mesh.ControlPlane == home })
	if m.Choice == nil || !shared {
		return m
	}
	c := *m.Choice
	c.HeadOnly = true
	m.Choice = &c
	return m
}

// sayable tells whether one istiod can say what stands below a head: one level
// of pods with the same labels, all of which were seen.
func sayable(levels []level) bool {
	below := slices.DeleteFunc(slices.Clone(levels[1:]), func(l level) bool { return sum(l.backends) == 0 })
	return len(below) == 0 || len(below) == 1 && !slices.ContainsFunc(below[0].backends, func(b Candidate) bool {
		return b.Weight > 0 && (!maps.Equal(b.Subset, levels[0].backends[0].Subset) || !b.Known)
	})
}

// pooledFailover judges the backends of a lower tier together.
func pooledFailover(m Meaning) Meaning {
	if m.Choice == nil {
		return m
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
			if b.Local && !b.Known && t == 0 || !b.There {
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

// level is a part of a chain that is judged as a whole.
type level struct {
	backends []Candidate
	// own: the caller's own pods, each of which is seen.
	own bool
	// pooled: judged by all endpoints together.
	pooled bool
}

// chained is the choice where every backend of the first tier has its own chain
// of fallbacks and keeps its part of the requests whatever happens to others.
func (c Choice) chained() []Share {
	tiers := slices.DeleteFunc(slices.Clone(c.Tiers), func(tier []Candidate) bool { return sum(tier) == 0 })
	if len(tiers) == 0 {
		return nil
	}
	total, chains := int64(0), map[int][]level{}
	for i, head := range tiers[0] {
		levels := []level{{backends: []Candidate{head}, own: head.Local}}
		in := map[string]bool{head.Cluster: true}
		for _, tier := range tiers[1:] {
			levels = append(levels, level{backends: tier, pooled: c.Pooled})
			for _, b := range tier {
				in[b.Cluster] = in[b.Cluster] || b.Weight > 0
			}
		}
		levels = append(levels, level{backends: standIns(tiers[0], i, in), pooled: true})
		// A chain without anybody who was ever seen is not there yet.
		if head.Weight > 0 && slices.ContainsFunc(levels, level.known) {
			if c.HeadOnly && !sayable(levels) {
				levels = levels[:1]
			}
			chains[i] = levels
			total += head.Weight
		}
	}
	var out []Share
	for i, head := range tiers[0] {
		if levels, ok := chains[i]; ok {
			out = append(out, c.along(levels, big.NewRat(head.Weight, total))...)
		}
	}
	return out
}

// known tells whether anybody of the level was ever seen; the caller's own
// cluster counts without any pods too.
func (l level) known() bool {
	return l.own || slices.ContainsFunc(l.backends, func(b Candidate) bool { return b.Known && b.Weight > 0 })
}

// standIns are the other backends of the first tier, the heaviest of each
// cluster that is not in the chain.
func standIns(tier []Candidate, head int, in map[string]bool) []Candidate {
	var out []Candidate
	for i, b := range tier {
		if i == head || b.Weight == 0 || in[b.Cluster] {
			continue
		}
		if j := slices.IndexFunc(out, func(o Candidate) bool { return o.Cluster == b.Cluster }); j < 0 {
			out = append(out, b)
		} else if b.Weight > out[j].Weight {
			out[j] = b
		}
	}
	return out
}

// along divides a part of the requests between the levels of a chain.
func (c Choice) along(levels []level, part *big.Rat) []Share {
	var able []*big.Rat
	for _, l := range levels {
		able = append(able, c.able(l))
	}
	var out []Share
	for i, load := range priorityLoad(able) {
		l := levels[i]
		if l.own {
			out = append(out, l.backends[0].part(times(part, load)))
			continue
		}
		up := slices.DeleteFunc(slices.Clone(l.backends), func(b Candidate) bool { return !b.answers() })
		for _, b := range up {
			out = append(out, b.part(times(part, times(load, big.NewRat(b.Weight, sum(up))))))
		}
	}
	return out
}

// answers tells whether the gateway in front of a backend takes connections.
func (b Candidate) answers() bool { return b.Weight > 0 && b.Up && b.Known }

// able is the part of the requests that a level can take.
func (c Choice) able(l level) *big.Rat {
	if l.own {
		return c.keeps(l.backends[0].Health)
	}
	up, all := int64(0), int64(0)
	for _, b := range l.backends {
		if b.Weight == 0 || !b.Known {
			continue
		}
		n := b.Weight
		if l.pooled {
			n = b.Gateways
		}
		all += n
		if b.answers() {
			up += n
		}
	}
	if all == 0 {
		return zero()
	}
	if l.pooled {
		return c.keeps(big.NewRat(up, all))
	}
	return big.NewRat(up, all)
}
