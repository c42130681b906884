// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// need is a feature that a policy needs of a provider, and the field that asks
// for it.
type need struct {
	feature Feature
	path    string
	// detail is added to the message.
	detail string
	// defaulted: the set's defaults ask for it, and no line of the policy. A
	// provider that does not have it does without.
	defaulted bool
}

// Minimum-healthy percentages that count as equal to Envoy's own threshold.
const minHealthyFrom, minHealthyTo = 70, 72

// needs lists what a policy needs of the provider of its callers: those in a
// cluster, or those at a gateway.
func needs(s *fleet.Service, p *fleet.Policy, rules []Rule) []need {
	out := slices.Concat(endpointNeeds(s, p), securityNeeds(p))
	for i, r := range p.Rules {
		out = append(out, ruleNeeds(s, r)...)
		out = append(out, streamNeeds(s, rules[i])...)
		out = append(out, tierNeeds(rules[i], r.Path)...)
	}
	if p.Resilience.OutlierDetection != nil && slices.ContainsFunc(rules, hasRemote) {
		out = append(out, need{feature: RemoteHealth, path: "spec.resilience.outlierDetection"})
	}
	divided := slices.ContainsFunc(rules, func(r Rule) bool { return r.count() > 1 })
	if divided && (p.MinHealthy < minHealthyFrom || p.MinHealthy > minHealthyTo) {
		out = append(out, need{feature: MinHealthy, path: "spec.failover.minHealthy"})
	}
	if divided && p.FailbackDelay != "" {
		out = append(out, need{feature: FailbackDelay, path: "spec.failover.failbackDelay", defaulted: p.Defaulted.Failover})
	}
	if p.Names.Asked && p.Names.Cluster {
		out = append(out, need{feature: ClusterNames, path: "spec.service.names"})
	}
	return append(out, homeNeeds(p, rules)...)
}

// endpointNeeds is what is said of single endpoints.
func endpointNeeds(s *fleet.Service, p *fleet.Policy) []need {
	var out []need
	defaulted := p.Defaulted.Resilience
	add := func(there bool, f Feature, path string) {
		if there {
			out = append(out, need{feature: f, path: path, defaulted: defaulted})
		}
	}
	add(p.Resilience.OutlierDetection != nil, OutlierDetection, "spec.resilience.outlierDetection")
	add(p.Resilience.ConnectionPool != nil, ConnectionPool, "spec.resilience.connectionPool")
	add(p.Resilience.CircuitBreaker != nil, CircuitBreaker, "spec.resilience.circuitBreaker")
	defaulted = p.Defaulted.LoadBalancing
	add(p.LoadBalancing.Algorithm != "", Algorithm, "spec.loadBalancing.algorithm")
	add(p.LoadBalancing.SlowStart != "", SlowStart, "spec.loadBalancing.slowStart")
	defaulted = false
	add(s.HealthCheck != nil, HealthCheck, "spec.healthCheck")
	return out
}

// securityNeeds is how the connections of callers are secured.
func securityNeeds(p *fleet.Policy) []need {
	switch p.TLS {
	case v1alpha1.TLSMutual:
		return []need{{feature: MutualTLS, path: "spec.tls.mode"}}
	case v1alpha1.TLSDisable:
		return []need{{feature: ClearText, path: "spec.tls.mode"}}
	}
	return nil
}

// ruleNeeds is what the fields of one rule need.
func ruleNeeds(s *fleet.Service, r fleet.Rule) []need {
	var out []need
	stream := slices.ContainsFunc(s.Ports, func(p fleet.Port) bool { return s.PortsGiven() && !p.L7() })
	add := func(there bool, f Feature, field string) {
		if !there {
			return
		}
		out = append(out, need{feature: f, path: r.Path + field})
		if stream {
			out = append(out, need{feature: L7OnStream, path: r.Path + field})
		}
	}
	add(len(r.Matches) > 0, Matches, ".matches")
	add(r.Timeout != "" && !r.DefaultTimeout, Timeout, ".timeout")
	add(r.Retries != nil && !r.DefaultRetries, Retries, ".retries")
	add(r.Redirect != nil, Redirects, ".redirect")
	add(r.Redirect != nil && r.Redirect.Path != nil && r.Redirect.Path.Prefix != "", RedirectPrefix, ".redirect.path.prefix")
	add(r.DirectResponse != nil, DirectResponses, ".directResponse")
	add(r.Rewrite != nil, Rewrites, ".rewrite")
	add(r.RequestHeaders != nil, HeaderChanges, ".requestHeaders")
	add(r.ResponseHeaders != nil, HeaderChanges, ".responseHeaders")
	add(r.Mirror != nil, Mirrors, ".mirror")
	add(r.Faults != nil, Faults, ".faults")
	add(r.CORS != nil, CORS, ".cors")
	add(r.RateLimit != nil, RateLimit, ".rateLimit")
	if a := r.SessionAffinity; a != nil {
		add(!a.SourceIP, Affinity, ".sessionAffinity")
		if a.SourceIP {
			out = append(out, need{feature: Affinity, path: r.Path + ".sessionAffinity"})
		}
	}
	return append(out, matchNeeds(r)...)
}

// matchNeeds is what single conditions need.
func matchNeeds(r fleet.Rule) []need {
	var out []need
	for i, m := range r.Matches {
		path := fmt.Sprintf("%s.matches[%d]", r.Path, i)
		if m.Authority != nil {
			out = append(out, need{feature: MatchAuthority, path: path + ".authority"})
		}
		if m.Source != nil {
			out = append(out, need{feature: MatchSource, path: path + ".source"})
		}
	}
	return out
}

// tierNeeds is what the backends of one rule need.
func tierNeeds(r Rule, path string) []need {
	var out []need
	for i, tier := range r.Tiers {
		if len(tier) > 1 {
			out = append(out, need{feature: Weights, path: tier[0].path})
		}
		if i > 0 {
			out = append(out, need{feature: Tiers, path: tier[0].path})
		}
		if i > 0 && len(tier) > 1 {
			out = append(out, need{feature: SharedTier, path: tier[1].path})
		} else if i > 0 && !hasRemote(r) {
			out = append(out, need{feature: SharedTier, path: tier[0].path}) // each of its pods is seen
		}
		for _, b := range tier {
			out = append(out, backendNeeds(b)...)
			if !b.Near && r.count() > 1 {
				out = append(out, need{feature: RemoteHealth, path: b.path})
			}
		}
	}
	if b := r.unlike(); b != nil {
		out = append(out, need{feature: UnlikeServices, path: b.path})
	}
	if r.Copy != nil {
		out = append(out, backendNeeds(*r.Copy)...)
	}
	if len(r.Tiers) > 0 && len(r.Tiers[0]) > 1 && !hasRemote(r) {
		out = append(out, need{feature: SubsetSiblings, path: r.Tiers[0][1].path})
	}
	if r.count() > 1 {
		out = append(out, need{feature: PartHealth, path: path})
		if r.SessionAffinity != nil {
			out = append(out, need{feature: SharedAffinity, path: path + ".sessionAffinity"})
		}
	}
	if b := r.mixed(); b != nil {
		out = append(out, need{feature: UnlikeChain, path: b.path})
	}
	for _, c := range r.Chains() {
		if twice := c.Repeats(); twice != "" {
			out = append(out, need{feature: RepeatedCluster, path: path + ".backends", detail: fmt.Sprintf("rule %q names %s twice", r.Label, twice)})
			break
		}
	}
	return out
}

// unlike finds a backend of another service or port than others of the rule;
// nil where there is none.
func (r Rule) unlike() *Backend {
	all := slices.Concat(r.Tiers...)
	for i := range all {
		if len(all) > 1 && (!all[i].Own() || all[i].Port != all[0].Port) {
			return &all[i]
		}
	}
	return nil
}

// streamNeeds finds connections that are sent to another service elsewhere.
func streamNeeds(s *fleet.Service, r Rule) []need {
	if !s.PortsGiven() || !slices.ContainsFunc(s.Ports, func(p fleet.Port) bool { return !p.L7() }) {
		return nil
	}
	for _, b := range slices.Concat(r.Tiers...) {
		if !b.Own() && !b.Local {
			return []need{{feature: OtherStream, path: b.path}}
		}
	}
	return nil
}

// backendNeeds is what the fields of one backend need.
func backendNeeds(b Backend) []need {
	var out []need
	if len(b.Labels) > 0 {
		out = append(out, need{feature: Subset, path: b.path + ".subset"})
	}
	if b.Service != "" {
		out = append(out, need{feature: OtherService, path: b.path + ".service"})
	} else if b.Namespace != "" {
		out = append(out, need{feature: OtherService, path: b.path + ".namespace"})
	}
	if b.Port != 0 {
		out = append(out, need{feature: BackendPort, path: b.path + ".port"})
	}
	return out
}

// homeNeeds finds pods of the consumer's own cluster that two chains fall back
// from in different ways: in a mesh such a chain takes every gateway whose
// labels its own pods have. A chain without any fallback can leave them all out;
// see FallsBackBeside.
func homeNeeds(p *fleet.Policy, rules []Rule) []need {
	type home struct {
		chain Chain
		rule  int
	}
	var homes []home
	for i, r := range rules {
		for _, c := range r.Chains() {
			if c.Head.Local && c.Head.Own() && len(c.Tiers) > 0 {
				homes = append(homes, home{c, i})
			}
		}
	}
	for i, second := range homes {
		for _, first := range homes[:i] {
			a, b := first.chain.Head.Labels, second.chain.Head.Labels
			if (subsetOf(a, b) || subsetOf(b, a)) && first.chain.Fallback() != second.chain.Fallback() {
				return []need{{feature: HomeFallbacks, path: second.chain.Head.path,
					detail: fmt.Sprintf("rules %q and %q differ below %s", rules[first.rule].Label, rules[second.rule].Label, second.chain.Head.Name())}}
			}
		}
	}
	return nil
}

// FallsBackBeside tells whether another chain of the consumer's own cluster puts
// gateways among the endpoints that a head's labels find.
func (in *Import) FallsBackBeside(head Backend) bool {
	return slices.ContainsFunc(in.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Chains(), func(c Chain) bool {
			return c.Head.Local && c.Head.Own() && len(c.Tiers) > 0 && subsetOf(head.Labels, c.Head.Labels)
		})
	})
}

// subsetOf tells whether b has all labels of a.
func subsetOf(a, b map[string]string) bool {
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if v, ok := b[k]; !ok || v != a[k] {
			return false
		}
	}
	return true
}

func hasRemote(r Rule) bool {
	return slices.ContainsFunc(slices.Concat(r.Tiers...), func(b Backend) bool { return !b.Near })
}

// count is the number of backends that have a share.
func (r Rule) count() int { return len(slices.Concat(r.Tiers...)) }

// refusals checks needs against the matrix: what is neither exact nor accepted
// comes back; a degradation once, on the line that asks for it first.
func refusals(p *fleet.Policy, provider v1alpha1.Provider, all []need) []diag.Diagnostic {
	var out []diag.Diagnostic
	done := map[string]bool{}
	for _, row := range Matrix() {
		support := row.Of(provider)
		for _, n := range all {
			if n.feature != row.Feature {
				continue
			}
			d := diag.Diagnostic{Code: row.Code, Severity: diag.Error, Position: p.At(n.path), Fix: support.Fix}
			switch {
			case support.Refusal != "" && n.defaulted:
				continue
			case support.Refusal != "":
				d.Message = support.Refusal
				if n.detail != "" {
					d.Message += ": " + n.detail
				}
			case support.Degradation != "" && !accepts(p, support.Degradation, provider) && !done[support.Degradation]:
				done[support.Degradation] = true
				d.Message = fmt.Sprintf("provider %s does less than this means (%s)", provider, support.Degradation)
				d.Fix = fmt.Sprintf("to accept it, add {name: %s, provider: %s} to spec.acceptDegradations", support.Degradation, provider)
				d.Once = fmt.Sprintf("%s/%s/%s", p.At("metadata"), provider, support.Degradation)
			default:
				continue
			}
			out = append(out, d)
		}
	}
	return out
}

func accepts(p *fleet.Policy, name string, provider v1alpha1.Provider) bool {
	return slices.Contains(p.Accepted, v1alpha1.AcceptedDegradation{Name: name, Provider: provider})
}

// portRefusals checks the protocols of ports that a policy gives.
func portRefusals(s *fleet.Service, provider v1alpha1.Provider) []diag.Diagnostic {
	var out []diag.Diagnostic
	for _, port := range s.Ports {
		feature, ok := protocolFeatures[port.Protocol]
		if ok && s.PortsGiven() {
			out = append(out, refusals(s.PortsFrom, provider, []need{{feature: feature, path: port.Path + ".protocol"}})...)
		}
	}
	return out
}

// protocolFeatures are the protocols that not every provider carries.
var protocolFeatures = map[v1alpha1.Protocol]Feature{v1alpha1.ProtocolUDP: UDP, v1alpha1.ProtocolTLS: TLS}
