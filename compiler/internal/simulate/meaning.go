// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
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
	// Caller is the caller's cluster, or that of the gateway.
	Caller *fleet.Cluster

	// producers of the service that is called, as far as a policy speaks of it, and
	// of those of its backends.
	producers []*fleet.Policy
	// exporters of the service.
	exporters []*fleet.Cluster
	// requests: there is a proxy that answers where no pod does. gateway: it comes in at a gateway.
	requests, gateway bool
}

// Answer computes what the request gets.
func (m Meaning) Answer() Answer {
	if m.Choice == nil {
		return m.Early
	}
	shares := m.Choice.Shares()
	out := m.Early.serve(shares)
	if out.Verdict != Unreachable {
		return out
	}
	if m.Choice.shut() {
		out.Verdict = Refused
		return out.status(m.requests, 403)
	}
	return out.step(diag.Position{}, "nobody is left who could serve it").status(m.requests, 503)
}

// status notes what a request, which is no connection, is answered.
func (a Answer) status(requests bool, status int32) Answer {
	if requests {
		a.Status = status
	}
	return a
}

// shut tells whether there would be somebody who serves it, if the caller were
// let in.
func (c Choice) shut() bool {
	open, shut := c, false
	open.Tiers = nil
	for _, tier := range c.Tiers {
		var all []Candidate
		for _, b := range tier {
			shut = shut || b.Shut
			b.Shut = false
			all = append(all, b)
		}
		open.Tiers = append(open.Tiers, all)
	}
	return shut && slices.ContainsFunc(open.Shares(), func(s Share) bool { return s.Part.Sign() > 0 })
}

// Accepted names the degradations that the author of the policy accepts of the
// provider in the caller's cluster.
func (m Meaning) Accepted() []string {
	var out []string
	for _, p := range append([]*fleet.Policy{m.Policy}, m.producers...) {
		if p == nil {
			continue
		}
		for _, a := range p.Accepted {
			// Who may call is the producer's to say, and all else the consumer's.
			said := string(a.Provider) == m.Provider() && (p == m.Policy || a.Name == plan.ClusterIdentityLost)
			if said && !slices.Contains(out, a.Name) {
				out = append(out, a.Name)
			}
		}
	}
	return out
}

// Provider names who carries the request.
func (m Meaning) Provider() string {
	if m.gateway {
		return string(m.Caller.NorthSouth)
	}
	return string(m.Caller.EastWest)
}

// Mean computes what a request means. The caller's cluster must be in the Fleet.
func Mean(f *fleet.Fleet, w World, r Request) Meaning {
	home := find(f, r.From.Cluster)
	if home == nil {
		return ended(NoRoute, fmt.Sprintf("there is no cluster %q", r.From.Cluster))
	}
	e := &evaluation{fleet: f, world: w, request: r, home: home}
	out := e.mean()
	out.Caller, out.requests, out.gateway = home, e.answered(), r.From.Gateway != ""
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
