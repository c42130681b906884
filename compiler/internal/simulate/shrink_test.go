// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"maps"
	"slices"
)

// shrink takes away what a model does not need to fail.
func shrink(m model, fails func(*model) bool) model {
	for again := true; again; {
		again = false
		for _, smaller := range m.smaller() {
			if fails(&smaller) {
				m, again = smaller, true
				break
			}
		}
	}
	return m
}

// copy is a model of its own.
func (m model) copy() model {
	m.clusters, m.policies = slices.Clone(m.clusters), slices.Clone(m.policies)
	m.lost, m.health = slices.Clone(m.lost), slices.Clone(m.health)
	for i := range m.clusters {
		m.clusters[i].pods, m.clusters[i].says = maps.Clone(m.clusters[i].pods), maps.Clone(m.clusters[i].says)
	}
	for i := range m.policies {
		p := &m.policies[i]
		p.accepted, p.rules, p.more = nil, slices.Clone(p.rules), slices.Clone(p.more)
		p.exports, p.imports, p.protocols = slices.Clone(p.exports), slices.Clone(p.imports), slices.Clone(p.protocols)
		for j := range p.rules {
			p.rules[j].backends, p.rules[j].matches = slices.Clone(p.rules[j].backends), slices.Clone(p.rules[j].matches)
			p.rules[j].more = slices.Clone(p.rules[j].more)
		}
	}
	return m
}

// smaller are all models that lack one thing.
func (m model) smaller() []model {
	var out []model
	try := func(change func(*model)) {
		c := m.copy()
		change(&c)
		out = append(out, c)
	}
	for i := range m.policies {
		try(func(c *model) { c.policies = slices.Delete(c.policies, i, i+1) })
	}
	for i := range m.clusters {
		try(func(c *model) { c.clusters = slices.Delete(c.clusters, i, i+1) })
	}
	for i := range m.lost {
		try(func(c *model) { c.lost = slices.Delete(c.lost, i, i+1) })
	}
	for i := range m.health {
		try(func(c *model) { c.health = slices.Delete(c.health, i, i+1) })
	}
	for i, p := range m.policies {
		for _, change := range p.smaller() {
			try(func(c *model) { change(&c.policies[i]) })
		}
	}
	for i, x := range m.clusters {
		if x.region != "" {
			try(func(c *model) { c.clusters[i].region, c.clusters[i].zone = "", "" })
		}
		for service := range x.says {
			try(func(c *model) { delete(c.clusters[i].says, service) })
		}
		if x.gateways > 1 {
			try(func(c *model) { c.clusters[i].gateways = 1 })
		}
	}
	return out
}

func (p policy) smaller() []func(*policy) {
	var out []func(*policy)
	for j := range p.rules {
		out = append(out, func(p *policy) { p.rules = slices.Delete(p.rules, j, j+1) })
		for k := range p.rules[j].backends {
			out = append(out, func(p *policy) { p.rules[j].backends = slices.Delete(p.rules[j].backends, k, k+1) })
		}
		for k := range p.rules[j].matches {
			out = append(out, func(p *policy) { p.rules[j].matches = slices.Delete(p.rules[j].matches, k, k+1) })
		}
		for k, b := range p.rules[j].backends {
			if b.weight > 1 {
				out = append(out, func(p *policy) { p.rules[j].backends[k].weight = 1 })
			}
			if b.version != "" {
				out = append(out, func(p *policy) { p.rules[j].backends[k].version = "" })
			}
		}
		for k := range p.rules[j].more {
			out = append(out, func(p *policy) { p.rules[j].more = slices.Delete(p.rules[j].more, k, k+1) })
		}
	}
	for k := range p.exports {
		out = append(out, func(p *policy) { p.exports = slices.Delete(p.exports, k, k+1) })
	}
	for k := range p.imports {
		out = append(out, func(p *policy) { p.imports = slices.Delete(p.imports, k, k+1) })
	}
	if len(p.protocols) > 1 {
		out = append(out, func(p *policy) { p.protocols = p.protocols[:1] })
	}
	for k := range p.more {
		out = append(out, func(p *policy) { p.more = slices.Delete(p.more, k, k+1) })
	}
	if p.unnamed {
		out = append(out, func(p *policy) { p.unnamed = false })
	}
	if p.minHealthy != "" {
		out = append(out, func(p *policy) { p.minHealthy = "" })
	}
	return out
}
