// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Meaning is what a request means before it is known how a provider does it.
type Meaning struct {
	// Early is the answer where no backend is chosen at all; its Verdict is
	// empty where one is.
	Early Answer
	// Choice between backends; nil where there is none.
	Choice *Choice
	// Policy that governs the request; nil where none does.
	Policy *fleet.Policy
	// Caller is the caller's cluster.
	Caller *fleet.Cluster
}

// Answer computes what the request gets.
func (m Meaning) Answer() Answer {
	if m.Choice == nil {
		return m.Early
	}
	out := m.Early.serve(m.Choice.Shares())
	if out.Verdict == Unreachable {
		return out.step(diag.Position{}, "nobody is left who could serve it: 503")
	}
	return out
}

// Accepted names the degradations that the author of the policy accepts of the
// provider in the caller's cluster.
func (m Meaning) Accepted() []string {
	var out []string
	if m.Policy == nil {
		return nil
	}
	for _, a := range m.Policy.Accepted {
		if string(a.Provider) == m.Provider() {
			out = append(out, a.Name)
		}
	}
	return out
}

// Provider names who carries the request.
func (m Meaning) Provider() string { return string(m.Caller.EastWest) }

// Mean computes what a request means. The caller's cluster must be in the Fleet.
func Mean(f *fleet.Fleet, w World, r Request) Meaning {
	home := find(f, r.From.Cluster)
	if home == nil {
		return ended(NoRoute, fmt.Sprintf("there is no cluster %q", r.From.Cluster))
	}
	e := &evaluation{fleet: f, world: w, request: r, home: home}
	out := e.mean()
	out.Caller = home
	return out
}

func find(f *fleet.Fleet, cluster string) *fleet.Cluster {
	for _, s := range f.Sets {
		if c := s.Cluster(cluster); c != nil {
			return c
		}
	}
	return nil
}

func ended(v Verdict, text string) Meaning {
	return Meaning{Early: Answer{Verdict: v, Unserved: one()}.step(diag.Position{}, "%s", text)}
}

// step appends a decision.
func (a Answer) step(at diag.Position, format string, args ...any) Answer {
	a.Steps = append(slices.Clone(a.Steps), Step{Text: fmt.Sprintf(format, args...), At: at})
	return a
}

// evaluation is a request on its way through the Fleet.
type evaluation struct {
	fleet   *fleet.Fleet
	world   World
	request Request
	home    *fleet.Cluster
	answer  Answer
}

func (e *evaluation) note(at diag.Position, format string, args ...any) {
	e.answer = e.answer.step(at, format, args...)
}

// end finishes without a choice.
func (e *evaluation) end(v Verdict) Meaning {
	e.answer.Verdict = v
	if e.answer.Unserved == nil {
		e.answer.Unserved = one()
	}
	return Meaning{Early: e.answer}
}

func (e *evaluation) mean() Meaning {
	r, set := e.request, e.home.Set
	if e.world.lost(e.home.Name) {
		e.note(e.home.At(".name"), "cluster %s, where the caller is, is lost", e.home.Name)
		return e.end(Unreachable)
	}
	n, ok := parse(r.Host, r.From.Namespace, set.Domain)
	if !ok {
		e.note(diag.Position{}, "%s is no name of a Service", r.Host)
		return e.end(NoRoute)
	}
	service := e.service(n)
	if service == nil {
		return e.ungoverned(n, "no policy governs Service %s/%s", n.namespace, n.service)
	}
	if !n.clusterSet && e.home.EastWest == v1alpha1.EastWestFairlead {
		return e.ungoverned(n, "with eastWest %s the name %s stays the Service of %s itself", e.home.EastWest, r.Host, e.home.Name)
	}
	policy := e.policy(service)
	if policy == nil {
		return e.ungoverned(n, "no policy of Service %s governs callers in %s", service.Key(), e.home.Name)
	}
	e.note(policy.At("spec.service.name"), "%s is Service %s, governed by policy %s/%s", r.Host, service.Key(), policy.Namespace, policy.Name)
	port, ok := e.port(service)
	if !ok {
		return e.ungoverned(n, "port %d/%s of Service %s is not governed", r.Port, transport(r), service.Key())
	}
	out := e.route(service, policy, port)
	out.Policy = policy
	return out
}

// service finds the Service of a name in the Fleet.
func (e *evaluation) service(n name) *fleet.Service {
	for _, s := range e.fleet.Services {
		if s.Set == e.home.Set && s.Namespace == n.namespace && s.Name == n.service {
			return s
		}
	}
	return nil
}

// policy finds the policy that governs the callers in the caller's cluster.
func (e *evaluation) policy(s *fleet.Service) *fleet.Policy {
	for _, p := range s.Policies {
		if slices.Contains(p.Consumers, e.home) {
			return p
		}
	}
	return nil
}

// transport is the transport protocol of a request.
func transport(r Request) v1alpha1.Transport {
	if r.Scheme == "udp" {
		return v1alpha1.TransportUDP
	}
	return v1alpha1.TransportTCP
}

func (e *evaluation) port(s *fleet.Service) (fleet.Port, bool) {
	for _, p := range s.Ports {
		if p.Number == e.request.Port && p.Transport() == transport(e.request) {
			return p, true
		}
	}
	return fleet.Port{}, false
}

// ungoverned is a request that goes where it goes without Fairlead: to the
// cluster's own Service, if there is one.
func (e *evaluation) ungoverned(n name, format string, args ...any) Meaning {
	e.note(diag.Position{}, format, args...)
	svc, there := e.home.Facts.Service(n.namespace, n.service)
	known := slices.ContainsFunc(svc.Ports, func(p inventoryPort) bool {
		return p.Port == e.request.Port && (p.Transport == string(transport(e.request)) || p.Transport == "")
	})
	if n.clusterSet || !there || !known {
		e.note(diag.Position{}, "%s has no Service %s/%s with port %d of its own: nothing answers to the name", e.home.Name, n.namespace, n.service, e.request.Port)
		return e.end(NoRoute)
	}
	e.note(diag.Position{}, "it goes to the pods of Service %s/%s in %s", n.namespace, n.service, e.home.Name)
	b := Candidate{Share: Share{Cluster: e.home.Name, Namespace: n.namespace, Service: n.service, Port: e.request.Port}, Weight: 1, Local: true}
	e.fill(&b, e.home)
	return Meaning{Early: e.answer, Choice: &Choice{Tiers: [][]Candidate{{b}}, MinHealthy: one()}}
}

// route finds the rule and the backends.
func (e *evaluation) route(s *fleet.Service, p *fleet.Policy, port fleet.Port) Meaning {
	rule, ok := e.rule(p, port)
	if !ok {
		e.note(p.At("spec.rules"), "no rule matches: 404")
		return e.end(NoRoute)
	}
	e.answer.Applied = Applied{Timeout: length(rule.Timeout)}
	if r := rule.Retries; r != nil {
		e.answer.Applied.Attempts, e.answer.Applied.PerTryTimeout = r.Attempts, length(r.PerTryTimeout)
	}
	c := &Choice{MinHealthy: big.NewRat(int64(p.MinHealthy), 100)}
	for t, tier := range s.Tiers(rule, e.home) {
		var candidates []Candidate
		for _, b := range tier {
			out := Candidate{Share: Share{Cluster: b.Cluster.Name, Namespace: s.Namespace, Service: s.Name, Subset: b.Subset, Port: port.Number},
				Weight: b.Weight, Local: b.Cluster == e.home, At: p.At(b.Path)}
			e.fill(&out, b.Cluster)
			e.note(out.At, "tier %d: %s, weight %d%s", t, out.Name(), b.Weight, out.state())
			candidates = append(candidates, out)
		}
		c.Tiers = append(c.Tiers, candidates)
	}
	if len(c.Tiers) == 0 {
		e.note(p.At("spec.service.name"), "no cluster that %s reaches exports Service %s", e.home.Name, s.Key())
	}
	return Meaning{Early: e.answer, Choice: c}
}

// length writes a length of time in one way; empty where none is given.
func length(d v1alpha1.Duration) string {
	v, err := d.Parse()
	if err != nil || d == "" {
		return ""
	}
	return v.String()
}

// state says what is not as it should be.
func (b Candidate) state() string {
	switch {
	case !b.Up:
		return ", lost"
	case b.Health.Cmp(one()) < 0:
		return fmt.Sprintf(", %s of its pods ready", Percent(b.Health))
	}
	return ""
}

// Percent writes a fraction as a percentage with at most two digits after the
// point.
func Percent(r *big.Rat) string {
	text := times(r, big.NewRat(100, 1)).FloatString(2)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// fill finds out who the pods of a backend are and how many are ready.
func (e *evaluation) fill(b *Candidate, c *fleet.Cluster) {
	b.Up = !e.world.lost(c.Name)
	if g := c.Mesh.Gateway; g != nil {
		b.Gateways = int64(len(g.Addresses))
	}
	site := siteOf(c)
	found := site.pods(b.Namespace, b.Service, b.Subset)
	b.Known = !site.Observed || len(found) > 0
	b.Health = site.health(e.world, pods{c.Name, b.Namespace, b.Service, b.Subset})
	b.Alive = b.Health.Sign() > 0
	if c.EastWest == v1alpha1.EastWestIstio && e.home.EastWest == v1alpha1.EastWestIstio {
		b.TLS.Mutual = true
		for _, w := range found {
			if e.world.ready(pods{c.Name, b.Namespace, b.Service, w.Labels}).Sign() > 0 {
				b.TLS.Identities = append(b.TLS.Identities, site.identity(b.Namespace, w))
			}
		}
		b.TLS.Identities = sorted(b.TLS.Identities)
	}
}
