// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"slices"
)

// Share is the part of a route's requests that one address gets.
type Share struct {
	Address string
	Part    float64
}

// Envoy's documentation: a level of priority keeps everything while its health
// times this factor is at least 100 %.
const overprovisioning = 1.4

// Shares says who gets which part of the requests of a route, as Envoy's
// documentation of priority levels, of its panic threshold and of
// locality-weighted load balancing has it. Weighted clusters that do not exist
// are left out: their part is refused.
func (c Configuration) Shares(targets []Target) []Share {
	parts, total := map[string]float64{}, 0.0
	for _, t := range targets {
		total += float64(t.Weight)
	}
	for _, t := range targets {
		cluster, ok := c.Clusters[t.Cluster]
		if !ok {
			continue
		}
		for address, part := range cluster.shares() {
			parts[address] += part * float64(t.Weight) / total
		}
	}
	var out []Share
	for address, part := range parts {
		if part > 0 {
			out = append(out, Share{address, part})
		}
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Compare(a.Address, b.Address) })
	return out
}

// level is one priority of a cluster.
type level struct {
	localities []Locality
	// able is the part of all requests that it can take.
	able float64
	// panics: it looks at nobody's health.
	panics bool
}

// shares of the addresses of one cluster.
func (c Cluster) shares() map[string]float64 {
	levels, sum := c.levels()
	out, left := map[string]float64{}, 1.0
	for i, l := range levels {
		load := min(left, l.able)
		if sum == 0 {
			// Total panic: by the number of endpoints. Without panic nobody gets
			// anything.
			load = 0
			if l.panics {
				load = float64(len(endpoints(l.localities))) / float64(c.endpoints())
			}
		} else if sum < 1 {
			load = l.able / sum
		}
		left -= load
		for address, part := range levels[i].within() {
			out[address] += part * load
		}
	}
	return out
}

// levels in the order of their priority, and how much they can take together.
// A level panics where all of them cannot take everything and it has too few
// that are healthy.
func (c Cluster) levels() ([]level, float64) {
	byPriority := map[uint32]*level{}
	var order []uint32
	for _, l := range c.Localities {
		if byPriority[l.Priority] == nil {
			order = append(order, l.Priority)
			byPriority[l.Priority] = &level{}
		}
		byPriority[l.Priority].localities = append(byPriority[l.Priority].localities, l)
	}
	slices.Sort(order)
	var out []level
	sum := 0.0
	for _, p := range order {
		l := *byPriority[p]
		l.able = min(1, overprovisioning*health(l.localities))
		sum += l.able
		out = append(out, l)
	}
	for i, l := range out {
		out[i].panics = sum < 1 && 100*health(l.localities) < c.Panic
	}
	return out, sum
}

func (c Cluster) endpoints() int { return len(endpoints(c.Localities)) }

func endpoints(of []Locality) []Endpoint {
	var out []Endpoint
	for _, l := range of {
		out = append(out, l.Endpoints...)
	}
	return out
}

// health is the healthy part of all endpoints of a level.
func health(level []Locality) float64 {
	healthy, all := 0, endpoints(level)
	for _, e := range all {
		if e.Healthy {
			healthy++
		}
	}
	if len(all) == 0 {
		return 0
	}
	return float64(healthy) / float64(len(all))
}

// within divides a level by the weights of its localities, each by its health;
// in panic all count as healthy.
func (l level) within() map[string]float64 {
	out, total := map[string]float64{}, 0.0
	effective := func(o Locality) float64 {
		if l.panics {
			return float64(o.Weight)
		}
		return float64(o.Weight) * min(1, overprovisioning*health([]Locality{o}))
	}
	for _, o := range l.localities {
		total += effective(o)
	}
	for _, o := range l.localities {
		var chosen []Endpoint
		for _, e := range o.Endpoints {
			if e.Healthy || l.panics {
				chosen = append(chosen, e)
			}
		}
		for _, e := range chosen {
			out[e.Address] += effective(o) / total / float64(len(chosen))
		}
	}
	return out
}
