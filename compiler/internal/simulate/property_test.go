// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/manifest"
)

var (
	fleets = flag.Int("fleets", 100, "how many fleets that compile the property test compares; the long test does at least 10000")
	seed   = flag.Uint64("seed", 1, "what the first of them is made from")
)

// What the emitted objects do is what the policies mean, after the degradations
// that were accepted, whatever is lost and however many pods are ready.
func TestObjectsDoWhatPoliciesMean(t *testing.T) {
	t.Logf("-fleets %d -seed %d", *fleets, *seed)
	var n tally
	for i := uint64(0); n.Compiled < *fleets; i++ {
		m := chance{rand.New(rand.NewPCG(*seed, i))}.model()
		why := check(&m, &n)
		if why == "" {
			continue
		}
		fails := func(m *model) bool { return check(m, &tally{}) != "" }
		m = shrink(m, fails)
		t.Fatalf("fleet %d of -seed %d: %s\n%s", i, *seed, check(&m, &tally{}), m)
	}
	t.Logf("%d fleets compiled, %d were refused; %d answers were compared: %d served, %d refused, %d unreachable; %d differ by what was accepted, %d wait for something",
		n.Compiled, n.Refused, n.Compared, n.Served, n.Refused403, n.Unreachable, n.Degraded, n.Pending)
	t.Logf("%d answers of cilium, %d of fairlead, %d at gateways", n.Cilium, n.L4, n.Gateway)
	if n.Compared < *fleets {
		t.Errorf("only %d answers were compared", n.Compared)
	}
	for _, b := range aspects {
		t.Logf("%-24s %d fleets", b.name, n.Met[b.name])
		if n.Met[b.name] == 0 && *fleets >= b.among {
			t.Errorf("no fleet that was compared has %s", b.name)
		}
	}
}

// tally counts what was done.
type tally struct {
	Compiled, Refused, Pending, Compared, Degraded, Served, Unreachable, Refused403, Cilium, L4, Gateway int
	// Met are the fleets of which answers were compared, by what they have.
	Met map[string]int
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// accept finds the degradations that a diagnostic asks for.
var accept = regexp.MustCompile(`add (\{name: [A-Za-z]+, provider: [a-z-]+\})`)

// compile accepts what must be accepted, and nothing else.
func compile(m *model) (compiler.Result, bool) {
	for range 3 {
		result, diags := compiler.Compile(m.files(), m.inventory())
		if !diag.HasErrors(diags) {
			return result, true
		}
		added := false
		for _, d := range diags {
			found := accept.FindStringSubmatch(d.String())
			if found == nil {
				continue
			}
			i := slices.IndexFunc(m.policies, func(p policy) bool { return p.service+".yaml" == d.Position.File })
			if i >= 0 && !slices.Contains(m.policies[i].accepted, found[1]) {
				m.policies[i].accepted = append(m.policies[i].accepted, found[1])
				added = true
			}
		}
		if !added {
			return result, false
		}
	}
	return compiler.Result{}, false
}

// check returns what is wrong with a model; empty where nothing is.
func check(m *model, n *tally) string {
	result, ok := compile(m)
	if !ok {
		n.Refused++
		return ""
	}
	n.Compiled++
	docs, _ := source.Load(m.files())
	f, _ := fleet.Build(docs, m.inventory())
	ground := simulate.GroundOf(f)
	interpreters := map[string]interpreter{"istio": simulate.NewIstio(ground, result.Bundles),
		"fairlead": simulate.NewL4(ground, result.Bundles), "cilium": simulate.NewCilium(ground, result.Bundles), "envoy-gateway": simulate.NewEnvoyGateway(ground, result.Bundles)}
	world, before := m.world(), n.Compared
	defer func() { n.meet(*m, n.Compared > before) }()
	for _, r := range requests(*m) {
		meaning := simulate.Mean(f, world, r)
		provider := meaning.Provider()
		if unfinished(*m, result, meaning, r) {
			n.Pending++
			continue
		}
		want := meaning.Answer()
		meaning = meaning.For(provider)
		degraded := meaning.Degrade(meaning.Accepted()).Answer()
		if simulate.Differ(want, degraded) != "" {
			n.Degraded++
		}
		if d := simulate.Differ(meaning.Answer(), degraded); d != "" && len(meaning.Differing()) == 0 {
			return fmt.Sprintf("%+v\n%s, and no degradation is named", r, d)
		}
		n.Cilium += b2i(provider == "cilium")
		n.L4 += b2i(provider == "fairlead")
		n.Gateway += b2i(r.From.Gateway != "")
		got := interpreters[provider].Answer(world, r)
		n.count(got)
		if d := simulate.Differ(degraded, got); d != "" {
			return fmt.Sprintf("%+v\n%s\n%s\n%s", r, d, listed("means", degraded), listed("does", got))
		}
	}
	return ""
}

func (n *tally) count(a simulate.Answer) {
	n.Compared++
	switch a.Verdict {
	case simulate.Served:
		n.Served++
	case simulate.Unreachable:
		n.Unreachable++
	case simulate.Refused:
		n.Refused403++
	}
}

func listed(what string, a simulate.Answer) string {
	out := []string{what + ": " + string(a.Verdict)}
	for _, s := range a.Shares {
		out = append(out, fmt.Sprintf("  %s %s", s.Name(), simulate.Percent(s.Part)))
	}
	for _, s := range a.Steps {
		out = append(out, "  · "+s.Text)
	}
	return strings.Join(out, "\n")
}

// unfinished tells whether the answer cannot be compared: something is pending or
// held for the caller, or no policy speaks of it.
func unfinished(m model, result compiler.Result, meaning simulate.Meaning, r simulate.Request) bool {
	if meaning.Policy == nil {
		// The meaning of what no policy governs is that it stays in the caller's
		// cluster. Two providers do more, which no object of ours asks for and which
		// nobody could accept, as acceptDegradations is a field of the policy that
		// such a caller does not have: Cilium's implementation of the MCS API imports
		// what is exported into every cluster of its mesh, also those that imports.to
		// leaves out; and one istiod for several clusters knows the pods of a Service
		// in all of them.
		cilium := meaning.Provider() == "cilium" && strings.HasSuffix(r.Host, "clusterset.local")
		// Sidecars pass on in clear text what is not what a Service says.
		says := meaning.Provider() == "istio" && strings.Contains(m.String(), "appProtocols of")
		return cilium || says || strings.HasPrefix(meaning.Caller.Mesh.Network, "shared-")
	}
	id := "TrafficPolicy/" + meaning.Policy.Namespace + "/" + meaning.Policy.Name
	for _, p := range result.Pending {
		// Pods that are not there are part of the meaning: nobody waits for them.
		absent := strings.Contains(p.Message, "no pods of") || strings.Contains(p.Message, "does not exist in") && !strings.Contains(p.Message, "does not exist in "+r.From.Cluster)
		unseen := strings.Contains(p.Message, "see no methods and paths") // by the pods, wherever they are
		if string(p.Fragment) == id && (p.Store == r.From.Cluster && !absent || unseen) {
			return true
		}
	}
	if meaning.Caller.EastWest == "istio" && !routed(result, id, r, meaning.Caller.Mesh.ControlPlane.Name) {
		return true
	}
	return slices.ContainsFunc(result.Held, func(h compiler.Held) bool { return string(h.Fragment) == id && h.Store == r.From.Cluster })
}

// routed tells whether the policy decides anything for a cluster yet: while no
// backend is known at all nothing is emitted, and what was there before goes on;
// of connections that holds for each port.
func routed(result compiler.Result, id string, r simulate.Request, store string) bool {
	for _, b := range result.Bundles {
		for _, f := range b.Fragments {
			if b.Store == store && string(f.ID) == id && slices.ContainsFunc(f.Objects, func(o manifest.Object) bool { return routes(o, r) }) {
				return true
			}
		}
	}
	return false
}

// routes tells whether an object is a VirtualService for where a request comes
// from.
func routes(o manifest.Object, r simulate.Request) bool {
	if o.Ref().Kind != "VirtualService" {
		return false
	}
	spec, _ := o.Unstructured().Object["spec"].(map[string]any)
	if _, atGateway := spec["gateways"]; atGateway || r.From.Gateway != "" {
		return atGateway == (r.From.Gateway != "")
	}
	if !r.L7() && !streams(spec, r) {
		return false
	}
	// With one istiod for several clusters each route says whose callers it is for.
	text := fmt.Sprint(spec)
	return !strings.Contains(text, "sourceLabels:map[topology.istio.io/cluster:") || strings.Contains(text, "topology.istio.io/cluster:"+r.From.Cluster)
}

// streams tells whether a route of connections is for the port and the caller.
func streams(spec map[string]any, r simulate.Request) bool {
	all, _ := spec["tcp"].([]any)
	return slices.ContainsFunc(all, func(route any) bool {
		matches, _, _ := unstructured.NestedSlice(route.(map[string]any), "match")
		return slices.ContainsFunc(matches, func(m any) bool {
			port, _, _ := unstructured.NestedNumberAsFloat64(m.(map[string]any), "port")
			from, given, _ := unstructured.NestedString(m.(map[string]any), "sourceLabels", "topology.istio.io/cluster")
			return int32(port) == r.Port && (!given || from == r.From.Cluster)
		})
	})
}

// requests are those that could tell one rule from another, from every cluster.
func requests(m model) []simulate.Request {
	var out []simulate.Request
	for _, c := range m.clusters {
		from := simulate.Caller{Cluster: c.name, Namespace: "shop", Account: "caller", Labels: map[string]string{"app": "caller"}}
		if c.provider == "envoy-gateway" {
			for _, p := range m.policies {
				out = append(out, outside(c, p, "www.example.com")...)
			}
			continue
		}
		for _, p := range m.policies {
			if c.provider == "istio" && slices.ContainsFunc(p.more, func(l string) bool { return strings.HasPrefix(l, "frontends") }) {
				out = append(out, outside(c, p, p.service+".example.com")...)
			}
		}
		for _, p := range m.policies {
			for i, protocol := range p.protocols {
				for _, host := range []string{p.service, p.service + ".shop", p.service + ".shop.svc.clusterset.local"} {
					r := simulate.Request{From: from, Scheme: protocol, Host: host, Port: int32(80 + i), Method: "GET", Path: "/"}
					out = append(out, r)
					if r.L7() && (len(p.rules) > 1 || len(p.more) > 0) {
						out = append(out, variants(r)...)
					}
					if protocol == "tcp" && c.provider == "istio" && m.silent(p) && !strings.HasSuffix(host, "clusterset.local") {
						r.Scheme = "http" // what no Service declares may be requests
						out = append(out, r)
					}
				}
			}
		}
	}
	return out
}

// silent tells whether no Service says what its ports speak.
func (m model) silent(p policy) bool {
	return p.unnamed && !slices.ContainsFunc(m.clusters, func(c cluster) bool { return c.says[p.service] != nil })
}

// outside are requests at a gateway.
func outside(c cluster, p policy, host string) []simulate.Request {
	r := simulate.Request{From: simulate.Caller{Cluster: c.name, Namespace: "shop", Gateway: "edge"}, Scheme: p.protocols[0], Host: host, Port: 80, Method: "GET", Path: "/"}
	if r.L7() {
		return append(variants(r), r)
	}
	return []simulate.Request{r}
}

// variants differ in what rules look at.
func variants(r simulate.Request) []simulate.Request {
	var out []simulate.Request
	for i, path := range askedPaths {
		for j, method := range []string{"GET", "POST", "PUT"} {
			r.Path, r.Method, r.Headers, r.Query, r.From.Labels = path, method, nil, nil, map[string]string{"app": "caller"}
			switch (i + j) % 4 {
			case 1:
				r.Headers = map[string]string{"x-canary": "1", "x-user": "joe"}
			case 2:
				r.Query = map[string]string{"q": "1"}
			case 3:
				r.From.Labels = map[string]string{"app": "other"}
				r.Headers = map[string]string{"x-user": "j"}
			}
			out = append(out, r)
		}
	}
	return out
}
