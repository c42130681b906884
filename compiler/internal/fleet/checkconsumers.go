// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"
)

// checkConsumers: two policies may not govern one frontend of one consumer.
func (b *builder) checkConsumers(s *Service) {
	for i, second := range s.Policies {
		for _, first := range s.Policies[:i] {
			var both []*Cluster
			for _, c := range second.Consumers {
				if slices.Contains(first.Consumers, c) {
					both = append(both, c)
				}
			}
			if len(both) == 0 {
				continue
			}
			if first.Mesh && second.Mesh {
				b.report(mistake{code: CodeTwoConsumers, at: second.At(second.importsPath()), fix: "narrow imports.to of one of them",
					related: also(first.At(first.importsPath()), "the other policy")},
					"policies %s/%s and %s/%s both govern service %s in %s",
					first.Namespace, first.Name, second.Namespace, second.Name, s.Key(), comma(both))
			}
			b.checkFrontends(s, first, second, both)
		}
	}
}

// checkFrontends compares the gateways of two policies that have consumers in
// common.
func (b *builder) checkFrontends(s *Service, first, second *Policy, both []*Cluster) {
	for _, x := range second.Gateways {
		for _, y := range first.Gateways {
			host, same := x.meets(y)
			if !same {
				continue
			}
			b.report(mistake{code: CodeTwoConsumers, at: second.At(x.Path + ".hostnames"), fix: "give one of them other hostnames, or narrow imports.to",
				related: also(first.At(y.Path+".hostnames"), "the other policy")},
				"policies %s/%s and %s/%s both govern service %s at gateway %s for %s in %s",
				first.Namespace, first.Name, second.Namespace, second.Name, s.Key(), x, host, comma(both))
		}
	}
}

// meets finds a hostname that two frontends have in common at one listener. A
// frontend without a listener is at every one.
func (f Frontend) meets(other Frontend) (string, bool) {
	if f.Namespace != other.Namespace || f.Name != other.Name || f.Listener != other.Listener && f.Listener != "" && other.Listener != "" {
		return "", false
	}
	for _, h := range f.Hostnames {
		if slices.Contains(other.Hostnames, h) {
			return string(h), true
		}
	}
	return "", false
}

// String returns the gateway as namespace/name, with its listener.
func (f Frontend) String() string {
	if f.Listener != "" {
		return fmt.Sprintf("%s/%s (listener %s)", f.Namespace, f.Name, f.Listener)
	}
	return f.Namespace + "/" + f.Name
}
