// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"encoding/json"

	"github.com/fairlead/fairlead/compiler/internal/plan"
)

// policies writes Envoy Gateway's policies on the rules of a route: one for all
// rules that need the same.
func (e *emission) policies(route string, pieces []piece) {
	e.policy("BackendTrafficPolicy", route, pieces, e.traffic)
	e.policy("SecurityPolicy", route, pieces, e.security)
}

// policy writes the policies of one kind. Where every rule needs the same, the
// policy is on the whole route.
func (e *emission) policy(kind, route string, pieces []piece, of func(plan.Rule) content) {
	type group struct {
		spec  content
		names []string
	}
	var groups []*group
	byText := map[string]*group{}
	for _, p := range pieces {
		spec := of(p.Rule)
		text, err := json.Marshal(spec)
		if err != nil {
			panic(err.Error()) // maps, lists, texts and numbers have a JSON form
		}
		g := byText[string(text)]
		if g == nil {
			g = &group{spec: spec}
			byText[string(text)] = g
			groups = append(groups, g)
		}
		g.names = append(g.names, p.name)
	}
	for _, g := range groups {
		if len(g.spec) == 0 {
			continue
		}
		name, refs := route, []any{content{"group": gatewayGroup, "kind": e.kind(), "name": route}}
		if len(groups) > 1 {
			name, refs = route+"."+g.names[0], nil
			for _, section := range g.names {
				refs = append(refs, content{"group": gatewayGroup, "kind": e.kind(), "name": route, "sectionName": section})
			}
		}
		g.spec["targetRefs"] = refs
		e.add(e.envoyKind(kind, name), g.spec)
	}
}
