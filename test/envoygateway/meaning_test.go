// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// What Envoy is told is held against what the simulator says: random rules, and
// requests that may meet any of them, with every cluster there and with some
// lost.

// asked is a request.
type asked struct {
	method, path, canary string
}

func (q asked) String() string { return fmt.Sprintf("%s %s x-canary=%q", q.method, q.path, q.canary) }

// meets tells whether a request has what a route of Envoy asks for.
func (m Match) meets(q asked) bool {
	under := func(prefix string) bool { return q.path == prefix || strings.HasPrefix(q.path, prefix+"/") }
	if m.Path != "" && q.path != m.Path || m.Prefix != "" && !strings.HasPrefix(q.path, m.Prefix) || m.ElementPrefix != "" && !under(m.ElementPrefix) {
		return false
	}
	values := map[string]string{":method": q.method}
	if q.canary != "" {
		values["x-canary"] = q.canary
	}
	for _, h := range m.Headers {
		name, expression, isExpression := strings.Cut(h, "~=")
		if isExpression {
			v, there := values[name]
			if !there || !regexp.MustCompile("^(?:"+expression+")$").MatchString(v) {
				return false
			}
			continue
		}
		name, exact, _ := strings.Cut(h, "=")
		if values[name] != exact {
			return false
		}
	}
	return true
}

// serves says which part of a request at a hostname each server gets.
func (c Configuration) serves(host string, q asked, who map[string]string) (map[string]float64, error) {
	for _, h := range c.Hosts {
		if h.Domains[0] != host {
			continue
		}
		for _, r := range h.Routes {
			if !r.Match.meets(q) {
				continue
			}
			out := map[string]float64{}
			for _, s := range c.Shares(r.Targets) {
				out[who[s.Address]] += s.Part
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("no route for %s", q)
}

// someRules writes rules at random.
func someRules(r *rand.Rand) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var out strings.Builder
	rules := 2 + r.IntN(5)
	for i := range rules {
		fmt.Fprintf(&out, "  - name: rule%d\n", i)
		if i < rules-1 {
			var conditions []string
			if c := pick("", "path: {exact: /a/b}", "path: {prefix: /a}", "path: {prefix: /a/b}", "path: {exact: /}", "path: {prefix: /c}"); c != "" {
				conditions = append(conditions, c)
			}
			if c := pick("", "", `headers: [{name: X-Canary, exact: "1"}]`, "headers: [{name: x-canary, present: true}]", `headers: [{name: x-canary, prefix: "1"}]`); c != "" {
				conditions = append(conditions, c)
			}
			if c := pick("", "methods: [GET]", "methods: [POST, PUT]"); c != "" {
				conditions = append(conditions, c)
			} else if len(conditions) == 0 {
				conditions = append(conditions, "methods: [GET]")
			}
			fmt.Fprintf(&out, "    matches: [{%s}]\n", strings.Join(conditions, ", "))
		}
		out.WriteString("    backends:\n")
		out.WriteString(someBackends(r))
	}
	return out.String()
}

// someBackends share one priority, or stand in several. Pods of the gateway's
// own cluster have no lower priority there.
func someBackends(r *rand.Rand) string {
	var out strings.Builder
	all := []string{"cluster: cluster2", "cluster: cluster2, subset: {version: v2}", "cluster: cluster3"}
	priorities := 1 + r.IntN(3)
	if priorities == 1 {
		all = append(all, "cluster: cluster1")
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, b := range all[:max(priorities, 1+r.IntN(len(all)))] {
		// The first of each priority is there for certain.
		priority := i
		if i >= priorities {
			priority = r.IntN(priorities)
		}
		fmt.Fprintf(&out, "    - {%s, weight: %d, priority: %d}\n", b, 1+r.IntN(9), priority)
	}
	return out.String()
}

const randomPolicy = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: web, namespace: %s}
spec:
  service: {name: web, ports: [{port: 80, protocol: http}]}
  imports: {to: {clusters: [cluster1]}}
  frontends: [{gateway: {name: eg}, hostnames: [www.example.com]}]
  rules:
%s  acceptDegradations:
  - {name: gatewayHealth, provider: envoy-gateway}
  - {name: pooledFailover, provider: envoy-gateway}
  - {name: twoTiers, provider: envoy-gateway}
`

const randomSet = `apiVersion: fairlead.dev/v1alpha1
kind: ClusterSet
metadata: {name: s}
spec:
  clusters:
  - {name: cluster1, providers: {eastWest: fairlead, northSouth: envoy-gateway}, network: {globalCIDR: 242.1.0.0/16}, gateways: [{name: g, node: n1}]}
  - {name: cluster2, providers: {eastWest: fairlead}, network: {globalCIDR: 242.2.0.0/16}, gateways: [{name: g, node: n2}]}
  - {name: cluster3, providers: {eastWest: fairlead}, network: {globalCIDR: 242.3.0.0/16}, gateways: [{name: g, node: n3}]}
`

// observed is what is seen of the clusters.
func observed(t *testing.T, namespace string) inventory.Inventory {
	t.Helper()
	_, inv, _ := compileStory(t, storyPath("weights"))
	text, err := yaml.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	var out inventory.Inventory
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(string(text), "weights", namespace)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// servers tells who serves behind an address: cluster, or cluster/version.
func servers(result compiler.Result, namespace string) map[string]string {
	out := map[string]string{homePod + ":8080": "cluster1"}
	for name, e := range Exports(result) {
		switch {
		case strings.HasPrefix(name, namespace+"/web-cluster2-"):
			out[e.Address+":80"] = "cluster2/v2"
		case strings.HasPrefix(name, namespace+"/web-"):
			out[e.Address+":80"] = e.Cluster
		}
	}
	return out
}

// simulated is what the simulator says that a request gets while clusters are
// lost: what the policy means, or less where its author accepted that.
func simulated(t *testing.T, tracer *compiler.Tracer, q compiler.TraceRequest) map[string]float64 {
	t.Helper()
	answer, diags := tracer.Trace(q)
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	shares := answer.Shares
	for _, r := range answer.Results {
		if r.Provider == "envoy-gateway" {
			shares = r.Shares
		}
	}
	out := map[string]float64{}
	for _, s := range shares {
		part, _ := s.Part.Rat().Float64()
		name := s.Cluster
		if v := s.Subset["version"]; v != "" {
			name += "/" + v
		}
		out[name] += part
	}
	return out
}

func TestMeaning(t *testing.T) {
	s := Start(t)
	random := rand.New(rand.NewPCG(11, 12))
	for i := range 16 {
		namespace := fmt.Sprintf("random%d", i)
		rules := someRules(random)
		t.Run(namespace, func(t *testing.T) { againstMeaning(t, s, namespace, rules) })
	}
}

// againstMeaning compares every kind of request.
func againstMeaning(t *testing.T, s *Server, namespace, rules string) {
	inv := observed(t, namespace)
	files := fstest.MapFS{"set.yaml": {Data: []byte(randomSet)}, "web.yaml": {Data: fmt.Appendf(nil, randomPolicy, namespace, rules)}}
	result, diags := compiler.Compile(files, inv)
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	tracer, diags := compiler.NewTracer(files, inv)
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	bringUp(t, s, result, inv)
	who := servers(result, namespace)
	for _, lost := range [][]string{nil, {"cluster2"}, {"cluster3"}, {"cluster2", "cluster3"}} {
		dead := s.lose(t, namespace, result, lost)
		s.Settled(t, namespace, "eg", func(c Configuration) error {
			c = c.without(dead)
			for _, q := range everyRequest() {
				got, err := c.serves("www.example.com", q, who)
				if err != nil {
					return err
				}
				request := compiler.TraceRequest{Gateway: "cluster1/" + namespace + "/eg", Method: q.method, URL: "http://www.example.com" + q.path,
					Headers: map[string]string{}, Lost: lost}
				if q.canary != "" {
					request.Headers["x-canary"] = q.canary
				}
				if want := simulated(t, tracer, request); !close(got, want) {
					return fmt.Errorf("lost %v: %s gets %v and should get %v by\n%s", lost, q, got, want, rules)
				}
			}
			return nil
		})
	}
}

// lose feeds the imports of a namespace as when clusters are lost, and returns
// the addresses that take no connections any more.
func (s *Server) lose(t *testing.T, namespace string, result compiler.Result, lost []string) map[string]bool {
	t.Helper()
	dead := map[string]bool{}
	for name, e := range Exports(result) {
		if !strings.HasPrefix(name, namespace+"/web-") {
			continue
		}
		e.Ready = !slices.Contains(lost, e.Cluster)
		dead[e.Address+":80"] = !e.Ready
		s.Feed(t, imported(t, namespace, strings.TrimPrefix(name, namespace+"/"), 80), e)
	}
	return dead
}

// without is the configuration once the proxies have noticed that connections
// to some addresses fail.
func (c Configuration) without(dead map[string]bool) Configuration {
	out := c
	out.Clusters = map[string]Cluster{}
	for name, cluster := range c.Clusters {
		cluster.Localities = slices.Clone(cluster.Localities)
		for i, l := range cluster.Localities {
			cluster.Localities[i].Endpoints = nil
			for _, e := range l.Endpoints {
				e.Healthy = e.Healthy && !dead[e.Address]
				cluster.Localities[i].Endpoints = append(cluster.Localities[i].Endpoints, e)
			}
		}
		out.Clusters[name] = cluster
	}
	return out
}

// everyRequest is one of each kind that rules can tell apart.
func everyRequest() []asked {
	var out []asked
	for _, path := range []string{"/", "/a", "/a/b", "/a/b/c", "/ab", "/c/d", "/x"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			for _, canary := range []string{"", "1", "12", "2"} {
				out = append(out, asked{method, path, canary})
			}
		}
	}
	return out
}

// close compares shares.
func close(got, want map[string]float64) bool {
	const tolerance = 1e-6
	return maps.EqualFunc(got, want, func(a, b float64) bool { return max(a-b, b-a) < tolerance })
}
