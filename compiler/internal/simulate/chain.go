// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"math/big"
	"slices"
)

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
		levels := []level{{backends: []Candidate{head}, own: head.Near}}
		in := map[string]bool{head.Cluster: true}
		for _, tier := range tiers[1:] {
			tier = c.joined(head, tier)
			levels = append(levels, level{backends: tier, pooled: c.Pooled})
			for _, b := range tier {
				in[b.Cluster] = in[b.Cluster] || b.Weight > 0
			}
		}
		levels = append(levels, level{backends: c.joined(head, standIns(tiers[0], i, in)), pooled: true})
		there := true
		mixed := c.Unmixed && c.mixed(levels)
		if c.Shared || mixed {
			levels, there = staying(levels)
		}
		if mixed && there {
			levels = levels[:1]
		}
		// A chain without anybody who was ever seen is not there yet.
		if there && head.Weight > 0 && slices.ContainsFunc(levels, level.known) {
			if c.HeadOnly && !c.sayable(levels) {
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

// mixed tells whether nothing but the head of a chain can be said. One istiod for
// several clusters chooses among these alone. Elsewhere such clusters cannot be told
// apart by what they have in common: a chain has one set of labels there, and each
// gateway passes on to the pods of its whole network.
func (c Choice) mixed(levels []level) bool {
	seen, apart, n := map[string]Candidate{}, false, 0
	for _, l := range levels {
		for _, b := range l.backends {
			if b.Weight == 0 || b.Gone {
				continue
			}
			n++
			apart = apart || !b.Member
			o, ok := seen[b.Plane]
			if ok && b.Plane != "" && (b.Crowded || o.Crowded || !maps.Equal(b.Subset, o.Subset)) {
				return true
			}
			seen[b.Plane] = b
		}
	}
	return c.HeadOnly && apart && n > 1
}

// staying is a chain without what is on its way out of the set, as one istiod for
// several clusters has it. A head that leaves its share to several is not there.
func staying(levels []level) ([]level, bool) {
	out := levels[:1:1]
	for _, l := range levels[1:] {
		l.backends = slices.DeleteFunc(slices.Clone(l.backends), func(b Candidate) bool { return b.Gone || b.Weight == 0 })
		if len(l.backends) > 0 {
			out = append(out, l)
		}
	}
	if !levels[0].backends[0].Gone {
		return out, true
	}
	if len(out) < 2 || len(out[1].backends) != 1 {
		return nil, false
	}
	out = slices.Clone(out[1:])
	out[0].own, out[0].pooled = out[0].backends[0].Near, false
	return out, true
}

// joined are those of a tier that can stand in the chain of a head.
func (c Choice) joined(head Candidate, tier []Candidate) []Candidate {
	return slices.DeleteFunc(slices.Clone(tier), func(b Candidate) bool { return c.Apart && (head.Other || b.Other || head.Asked != b.Asked) })
}

// known tells whether anybody of the level was ever seen, and stays; the caller's
// own Service counts without any pods too, where it is the policy's own.
func (l level) known() bool {
	return slices.ContainsFunc(l.backends, func(b Candidate) bool {
		return !b.Gone && (l.own && b.Local && b.There && !b.Other || b.Known && b.Weight > 0)
	})
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
		total := zero()
		for _, b := range l.backends {
			total.Add(total, c.taken(b))
		}
		for _, b := range l.backends {
			if total.Sign() > 0 {
				out = append(out, b.part(times(part, times(load, new(big.Rat).Quo(c.taken(b), total)))))
			}
		}
	}
	return out
}

// taken is what a backend takes of what comes to its level, relative to the
// others there.
func (c Choice) taken(b Candidate) *big.Rat {
	if !b.answers() {
		return zero()
	}
	out := big.NewRat(b.Weight, 1)
	if c.ByPods {
		out.SetInt64(b.Kinds)
	}
	if c.Shared && b.Near {
		out.Mul(out, b.Health)
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
	up, all := zero(), zero()
	for _, b := range l.backends {
		if b.Weight == 0 || !b.Known || b.Gone {
			continue
		}
		n := big.NewRat(b.Weight, 1)
		switch {
		case c.Shared && b.Near:
			n.SetInt64(b.Kinds)
		case l.pooled || c.Shared:
			n.SetInt64(b.Gateways)
		}
		all.Add(all, n)
		switch {
		case c.Shared && b.Near:
			up.Add(up, n.Mul(n, b.Health))
		case b.answers():
			up.Add(up, n)
		}
	}
	if all.Sign() == 0 {
		return zero()
	}
	if up.Quo(up, all); l.pooled || c.Shared {
		return c.keeps(up)
	}
	return up
}

// sayable tells whether one istiod can say what stands below a head: one level
// of pods with the same labels, all of which were seen, and none behind a gateway
// that passes on to others as well. Nobody else that it knows may have such pods.
func (c Choice) sayable(levels []level) bool {
	below := slices.DeleteFunc(slices.Clone(levels[1:]), func(l level) bool { return sum(l.backends) == 0 })
	if len(below) == 0 {
		return true
	}
	head := levels[0].backends[0]
	in := []string{head.Cluster}
	blurred := func(b Candidate) bool { return b.Crowded && !b.Near }
	for _, b := range below[0].backends {
		if b.Weight == 0 {
			continue
		}
		if in = append(in, b.Cluster); !maps.Equal(b.Subset, head.Subset) || !b.Known || blurred(b) {
			return false
		}
	}
	return len(below) == 1 && !blurred(head) && !slices.ContainsFunc(c.Known, func(cluster string) bool { return !slices.Contains(in, cluster) })
}
