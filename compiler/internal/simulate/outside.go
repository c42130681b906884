// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// entrance is a rule that takes a request at a gateway.
type entrance struct {
	way
	hostname string
	match    v1alpha1.Match
	frontend fleet.Frontend
}

// outside finds what becomes of a request that comes in at a gateway. Of
// policies that share a hostname the one with the more specific match is meant:
// those that cannot be ordered are a mistake in the files.
func (e *evaluation) outside() Meaning {
	var all []entrance
	for _, s := range e.fleet.Services {
		for _, p := range s.Policies {
			if s.Set != e.home.Set || !slices.Contains(p.Consumers, e.home) {
				continue
			}
			for _, f := range p.Gateways {
				if at, ok := e.entrance(s, p, f); ok {
					all = append(all, at)
				}
			}
		}
	}
	if len(all) == 0 {
		e.note(noPlace, "no policy takes such a request at gateway %s/%s of %s", e.request.From.Namespace, e.request.From.Gateway, e.home.Name)
		return e.end(NoRoute, 404)
	}
	best := slices.MaxFunc(all, func(a, b entrance) int { return slices.Compare(a.specificity(), b.specificity()) })
	e.matched = best.match
	e.note(best.policy.At(best.frontend.Path), "%s at gateway %s/%s belongs to policy %s/%s", best.hostname, best.frontend.Namespace, best.frontend.Name, best.policy.Namespace, best.policy.Name)
	e.note(best.policy.At(best.rule.Path), "rule %q is used", best.rule.Label)
	if d := e.guard(best.service, best.port.Number); !d.open {
		e.note(d.at, "requests from outside are not let in")
		out := e.end(Refused, 403)
		out.Policy = best.policy
		return out
	}
	return e.follow(best.way)
}

// guarded tells whether the door is at the gateway and not at the pods.
func (e *evaluation) guarded() bool {
	return e.request.From.Gateway != "" && e.home.NorthSouth == v1alpha1.NorthSouthEnvoyGateway
}

// guard is the door at the gateway itself, which stands before everything else.
func (e *evaluation) guard(s *fleet.Service, port int32) door {
	if !e.guarded() || len(s.Exporters) == 0 {
		return door{open: true}
	}
	return e.door(s, s.Exporters[0], port)
}

// entrance finds the first rule of a policy that takes a request at a frontend.
func (e *evaluation) entrance(s *fleet.Service, p *fleet.Policy, f fleet.Frontend) (entrance, bool) {
	r := e.request
	if f.Name != r.From.Gateway || f.Namespace != r.From.Namespace {
		return entrance{}, false
	}
	hostname := ""
	for _, h := range f.Hostnames {
		if covers(string(h), r.Host) && len(h) > len(hostname) && (hostname == "" || strings.HasPrefix(hostname, "*")) {
			hostname = string(h)
		}
	}
	i := slices.IndexFunc(s.Ports, func(p fleet.Port) bool { return p.L7() == r.L7() && p.Transport() == transport(r) })
	if hostname == "" || i < 0 {
		return entrance{}, false
	}
	for _, rule := range p.Rules {
		out := entrance{way: way{s, p, s.Ports[i], rule}, hostname: hostname, frontend: f}
		if len(rule.Matches) == 0 {
			return out, true
		}
		if j := slices.IndexFunc(rule.Matches, r.meets); j >= 0 && r.L7() {
			out.match = rule.Matches[j]
			return out, true
		}
	}
	return entrance{}, false
}

// specificity compares as Gateway API does: the hostname, an exact path before
// the longest prefix, the method, the number of headers and of parameters.
func (e entrance) specificity() []int {
	exact, prefix, method := 0, 0, 0
	if !strings.HasPrefix(e.hostname, "*") {
		exact = 1
	}
	out := []int{exact, len(e.hostname)}
	exact = 0
	if p := e.match.Path; p != nil {
		prefix = len(p.Prefix)
		if p.Exact != "" {
			exact = 1
		}
	}
	if len(e.match.Methods) > 0 {
		method = 1
	}
	return append(out, exact, prefix, method, len(e.match.Headers), len(e.match.Query))
}
