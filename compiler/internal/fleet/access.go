// SPDX-License-Identifier: Apache-2.0

package fleet

import "fmt"

// access finds who may call a service: what the one policy says that speaks of
// it, otherwise nobody where the set denies.
func (b *builder) access(s *Service) {
	if s.Set.Deny {
		s.Access = &Access{}
	}
	var by *Policy
	for _, p := range s.Policies {
		if p.spec.Access == nil {
			continue
		}
		if by != nil {
			b.report(mistake{code: CodeTwoProducers, at: p.At("spec.access"), fix: "remove access from one of them",
				related: also(by.At("spec.access"), "the other one")},
				"policies %s/%s and %s/%s both say who may call service %s", by.Namespace, by.Name, p.Namespace, p.Name, s.Key())
			continue
		}
		by = p
		s.Access = &Access{By: p}
		for i, entry := range p.spec.Access.Allow {
			rule := AccessRule{AccessRule: entry, Path: fmt.Sprintf("spec.access.allow[%d]", i)}
			for j, name := range entry.Clusters {
				if c := b.lookUp(p, name, fmt.Sprintf("%s.clusters[%d]", rule.Path, j)); c != nil {
					rule.Clusters = append(rule.Clusters, c)
				}
			}
			rule.Clusters = unique(rule.Clusters)
			s.Access.Allow = append(s.Access.Allow, rule)
		}
	}
}
