// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// evaluation is a request on its way through the Fleet.
type evaluation struct {
	fleet   *fleet.Fleet
	world   World
	request Request
	home    *fleet.Cluster
	answer  Answer
	// matched is what the request met of the rule.
	matched v1alpha1.Match
	// producers of the services of all backends.
	producers []*fleet.Policy
	// unseen: no proxy sees that it is a request.
	unseen bool
}

func (e *evaluation) note(at diag.Position, format string, args ...any) {
	e.answer = e.answer.step(at, format, args...)
}

// answered tells whether there is a proxy that answers requests itself where no
// pod does; a connection is only refused.
func (e *evaluation) answered() bool {
	return e.request.L7() && !e.unseen && (e.request.From.Gateway != "" || e.home.EastWest == v1alpha1.EastWestIstio)
}

// end finishes without a choice.
func (e *evaluation) end(v Verdict, status int32) Meaning {
	e.answer.Verdict, e.answer.Unserved = v, one()
	e.answer = e.answer.status(e.answered(), status)
	return Meaning{Early: e.answer}
}

func (e *evaluation) mean() Meaning {
	if e.world.lost(e.home.Name) {
		e.note(e.home.At(".name"), "cluster %s, where the caller is, is lost", e.home.Name)
		return e.end(Unreachable, 0)
	}
	if e.request.From.Gateway != "" {
		return e.outside()
	}
	r, set := e.request, e.home.Set
	n, ok := parse(r.Host, r.From.Namespace, set.Domain)
	if !ok {
		e.note(diag.Position{}, "%s is no name of a Service", r.Host)
		return e.end(NoRoute, 0)
	}
	service := e.service(n.namespace, n.service)
	if service == nil {
		return e.ungoverned(n, "no policy governs Service %s/%s", n.namespace, n.service)
	}
	if !n.clusterSet && e.home.EastWest == v1alpha1.EastWestFairlead {
		return e.ungoverned(n, "with eastWest %s the name %s stays the Service of %s itself", e.home.EastWest, r.Host, e.home.Name)
	}
	if n.clusterSet && e.home.EastWest == v1alpha1.EastWestCilium && e.home.Discovery != v1alpha1.DiscoveryExisting {
		return e.ungoverned(n, "with eastWest cilium and discovery fairlead nothing answers to the name %s in %s", r.Host, e.home.Name)
	}
	policy := e.policy(service)
	if policy == nil {
		return e.ungoverned(n, "no policy of Service %s governs callers in %s", service.Key(), e.home.Name)
	}
	if n.clusterSet && !policy.Names.ClusterSet || !n.clusterSet && !policy.Names.Cluster {
		e.note(policy.At("spec.service.names"), "policy %s/%s does not govern the name %s", policy.Namespace, policy.Name, r.Host)
		return e.ungoverned(n, "it is the name of the Service of %s itself", e.home.Name)
	}
	e.note(policy.At("spec.service.name"), "%s is Service %s, governed by policy %s/%s", r.Host, service.Key(), policy.Namespace, policy.Name)
	if n.clusterSet && e.home.EastWest == v1alpha1.EastWestCilium && !slices.ContainsFunc(service.Exporters, func(c *fleet.Cluster) bool { return siteOf(c).mayHave(n) }) {
		e.note(policy.At("spec.service.name"), "no cluster has the Service yet, so that Cilium has no such name")
		out := e.end(NoRoute, 0)
		out.Policy = policy
		return out
	}
	port, ok := e.port(service)
	if !ok {
		return e.ungoverned(n, "port %d/%s of Service %s is not governed", r.Port, transport(r), service.Key())
	}
	e.unseen = !port.L7() && (n.clusterSet || !plan.Sniffed(service, e.home, port))
	rule, ok := e.rule(policy, port)
	if !ok {
		e.note(policy.At("spec.rules"), "no rule matches")
		return e.end(NoRoute, 404)
	}
	return e.follow(way{service, policy, port, rule})
}

// service finds a Service in the caller's set; nil where no policy speaks of it.
func (e *evaluation) service(namespace, name string) *fleet.Service {
	for _, s := range e.fleet.Services {
		if s.Set == e.home.Set && s.Namespace == namespace && s.Name == name {
			return s
		}
	}
	return nil
}

// policy finds the policy that governs the callers in the caller's cluster.
func (e *evaluation) policy(s *fleet.Service) *fleet.Policy {
	for _, p := range s.Policies {
		if p.Mesh && slices.Contains(p.Consumers, e.home) {
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
		return e.end(NoRoute, 0)
	}
	e.note(diag.Position{}, "it goes to the pods of Service %s/%s in %s", n.namespace, n.service, e.home.Name)
	b := Candidate{Share: Share{Cluster: e.home.Name, Namespace: n.namespace, Service: n.service, Port: e.request.Port}, Weight: 1, Local: true}
	e.fill(&b, e.home)
	return Meaning{Early: e.answer, Choice: &Choice{Tiers: [][]Candidate{{b}}, MinHealthy: one()}, producers: e.producers}
}

// way is the rule that a request follows.
type way struct {
	service *fleet.Service
	policy  *fleet.Policy
	port    fleet.Port
	rule    fleet.Rule
}

// follow answers by the rule itself, or finds the backends.
func (e *evaluation) follow(w way) Meaning {
	r := w.rule
	if w.port.L7() {
		switch {
		case r.Redirect != nil:
			e.answer.Applied = Applied{locationApplied: e.location(*r.Redirect)}
			e.note(w.policy.At(r.Path+".redirect"), "it redirects to %s", e.answer.Applied[locationApplied])
			out := e.end(Redirected, cmp.Or(r.Redirect.Status, 302))
			out.Policy = w.policy
			return out
		case r.DirectResponse != nil:
			e.answer.Applied = Applied{}
			e.answer.Applied.set(bodyApplied, r.DirectResponse.Body)
			e.note(w.policy.At(r.Path+".directResponse"), "it responds itself, with status %d", r.DirectResponse.Status)
			out := e.end(Responded, r.DirectResponse.Status)
			out.Policy = w.policy
			return out
		}
		e.answer.Applied = e.applied(r)
	}
	out := e.choose(w)
	out.Policy = w.policy
	return out
}

// choose gathers the backends.
func (e *evaluation) choose(w way) Meaning {
	s, p := w.service, w.policy
	c := &Choice{MinHealthy: big.NewRat(int64(p.MinHealthy), 100)}
	for t, tier := range s.Tiers(w.rule, e.home) {
		var candidates []Candidate
		for _, b := range tier {
			out := e.candidate(w, b)
			e.note(out.At, "tier %d: %s, weight %d%s", t, out.title(s), b.Weight, out.state())
			candidates = append(candidates, out)
		}
		c.Tiers = append(c.Tiers, candidates)
	}
	if m := w.rule.Mirror; m != nil && w.port.L7() {
		to := e.candidate(w, *m)
		percent := cmp.Or(string(w.rule.Rule.Mirror.Percent), "100%")
		if to.Known && !to.Gone {
			e.answer.Applied.set(mirrorApplied, percent+" to "+to.key())
		}
		e.note(to.At, "%s of such requests are copied to %s", percent, to.title(s))
	}
	if len(c.Tiers) == 0 {
		e.note(p.At("spec.service.name"), "no cluster that %s reaches exports Service %s", e.home.Name, s.Key())
	}
	return Meaning{Early: e.answer, Choice: c, exporters: s.Exporters, producers: e.producers}
}

// candidate resolves a backend.
func (e *evaluation) candidate(w way, b fleet.Backend) Candidate {
	out := Candidate{Share: Share{Cluster: b.Cluster.Name, Namespace: cmp.Or(b.Namespace, w.service.Namespace), Service: cmp.Or(b.Service, w.service.Name),
		Subset: b.Subset, Port: cmp.Or(b.Port, w.port.Number)}, Weight: b.Weight, Local: b.Cluster == e.home, Gone: b.Lost, Other: !b.Own(), Asked: b.Port, At: w.policy.At(b.Path)}
	e.fill(&out, b.Cluster)
	if b.Lost {
		out.Up, out.Alive, out.Health = false, false, zero()
	}
	if w.policy.TLS == v1alpha1.TLSDisable {
		out.TLS = TLS{}
	}
	return out
}

// title names a backend, with its service where that is not the policy's own.
func (b Candidate) title(s *fleet.Service) string {
	if b.Service == s.Name && b.Namespace == s.Namespace {
		return b.Name()
	}
	return fmt.Sprintf("%s %s/%s", b.Name(), b.Namespace, b.Service)
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
	case b.Shut:
		return ", lets the caller not in"
	case b.Health.Cmp(one()) < 0:
		return fmt.Sprintf(", %s of its pods ready", Percent(b.Health))
	}
	return ""
}

// plane finds the control plane that the gateway in front of a backend belongs
// to, if it has others besides, and none of the caller's; and whether one of these
// others is in the same network.
func (e *evaluation) plane(b *Candidate, c *fleet.Cluster) (string, bool) {
	home := c.Mesh.ControlPlane
	s := e.service(b.Namespace, b.Service)
	if home == nil || c.Mesh.Gateway == nil || s == nil || s.Producer.TLS == v1alpha1.TLSDisable {
		return "", false
	}
	others := slices.DeleteFunc(slices.Clone(c.Set.Clusters), func(o *fleet.Cluster) bool { return o == c || o.Mesh.ControlPlane != home })
	name := ""
	if len(others) > 0 && !b.Member {
		name = home.Name
	}
	return name, slices.ContainsFunc(others, func(o *fleet.Cluster) bool { return o.Mesh.Network == c.Mesh.Network })
}

// Percent writes a fraction as a percentage with at most two digits after the
// point.
func Percent(r *big.Rat) string {
	text := times(r, big.NewRat(100, 1)).FloatString(2)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// fill finds out who the pods of a backend are, how many are ready, and whether
// they let the caller in.
func (e *evaluation) fill(b *Candidate, c *fleet.Cluster) {
	b.Up = !e.world.lost(c.Name)
	b.Member = c.Mesh.ControlPlane != nil && c.Mesh.ControlPlane == e.home.Mesh.ControlPlane
	b.Near = c == e.home || b.Member && c.Mesh.Network == e.home.Mesh.Network
	b.Plane, b.Crowded = e.plane(b, c)
	b.Gateways = 1 // the export address, where tunnels lead there
	if g := c.Mesh.Gateway; g != nil {
		b.Gateways = int64(len(g.Addresses))
	}
	site := siteOf(c)
	found := site.pods(b.Namespace, b.Service, b.Subset)
	b.There = site.mayHave(name{namespace: b.Namespace, service: b.Service})
	b.Known = !site.Observed || len(found) > 0
	b.Health = site.health(e.world, pods{c.Name, b.Namespace, b.Service, b.Subset})
	b.Kinds = int64(max(1, len(found)))
	b.Alive, b.Pods = b.Health.Sign() > 0, times(b.Health, big.NewRat(b.Kinds, 1))
	d, of := door{open: true, alike: true}, e.service(b.Namespace, b.Service)
	if of != nil && of.Producer != nil {
		e.producers = append(e.producers, of.Producer)
	}
	if !e.guarded() {
		d = e.door(of, c, b.Port)
	}
	b.Shut, b.AlikeShut = !d.open, !d.alike
	if !d.open {
		e.note(d.at, "Service %s/%s does not let %s/%s/%s in", b.Namespace, b.Service, e.request.From.Cluster, e.request.From.Namespace, e.request.From.Account)
	}
	if e.guarded() {
		return
	}
	if c.EastWest != v1alpha1.EastWestIstio || e.home.EastWest != v1alpha1.EastWestIstio || e.request.Scheme == "udp" {
		return
	}
	b.TLS.Mutual = true
	for _, w := range found {
		if e.world.ready(pods{c.Name, b.Namespace, b.Service, w.Labels}).Sign() > 0 {
			b.TLS.Identities = append(b.TLS.Identities, site.identity(b.Namespace, w))
		}
	}
	b.TLS.Identities = sorted(b.TLS.Identities)
}
