// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// dice makes policies.
type dice struct{ *rand.Rand }

func (d dice) pick(from ...string) string { return from[d.IntN(len(from))] }

// match writes the conditions of a rule, at least one.
func (d dice) match() string {
	var out []string
	for len(out) == 0 {
		for _, c := range []string{
			d.pick("", "path: {exact: /a/b}", "path: {prefix: /a}", "path: {prefix: /a/b}", "path: {exact: /}", "path: {prefix: /c/}"),
			d.pick("", "", `headers: [{name: X-Canary, exact: "1"}]`, "headers: [{name: x-canary, present: true}]", `headers: [{name: x-canary, prefix: "1"}]`),
			d.pick("", "methods: [GET]", "methods: [POST, PUT]"),
			d.pick("", "", "", `query: [{name: q, exact: "1"}]`),
		} {
			if c != "" {
				out = append(out, c)
			}
		}
	}
	return strings.Join(out, ", ")
}

// actions writes what a rule does besides choosing who serves it.
func (d dice) actions() string {
	var out strings.Builder
	headers := func() string {
		return d.pick("{set: [{name: X-A, value: '1'}]}", "{add: [{name: x-b, value: '100% it'}], remove: [x-c, X-D]}", "{remove: [x-a], set: [{name: x-b, value: y}]}")
	}
	percent := func() string { return d.pick("", ", percent: 10%", ", percent: 1%") }
	for _, line := range []string{
		"timeout: " + d.pick("90s", "1500ms"),
		"retries: " + d.pick("{attempts: 3, perTryTimeout: 500ms}", "{attempts: 1, on: [5xx, reset]}"),
		"rewrite: " + d.pick("{hostname: other.example.com}", "{path: {full: /new}}", `{path: {full: '/a\1b'}}`, "{hostname: x.example.com, path: {full: /}}"),
		"requestHeaders: " + headers(), "responseHeaders: " + headers(),
		"mirror: {backend: {cluster: cluster3}" + percent() + "}",
		d.pick("faults: {delay: {duration: 2s"+percent()+"}}", "faults: {abort: {status: 500"+percent()+"}}", "faults: {abort: {status: 503}, delay: {duration: 10ms}}"),
		d.pick("cors: {allowOrigins: [{exact: 'https://www.example.com'}], allowMethods: [PUT], maxAge: 1h}", "cors: {allowOrigins: [{exact: '*'}], allowHeaders: [x-a], exposeHeaders: [x-b]}"),
		"rateLimit: " + d.pick("{requests: 5, per: second}", "{requests: 100, per: hour}"),
		"sessionAffinity: " + d.pick("{cookie: {name: user, ttl: 1h}}", "{cookie: {name: user}}"),
	} {
		if d.IntN(4) == 0 {
			out.WriteString("    " + line + "\n")
		}
	}
	return out.String()
}

// rules writes rules; the last one takes everything.
func (d dice) rules() string {
	var out strings.Builder
	rules := 2 + d.IntN(5)
	for i := range rules {
		fmt.Fprintf(&out, "  - name: rule%d\n", i)
		if i < rules-1 {
			fmt.Fprintf(&out, "    matches: [{%s}]\n", d.match())
		}
		if d.IntN(6) == 0 {
			out.WriteString("    " + d.pick("redirect: {hostname: new.example.com}", "redirect: {scheme: https, status: 301}", "redirect: {port: 8443}",
				"redirect: {path: {full: /moved}}", "directResponse: {status: 418, body: 50% tea}", "directResponse: {status: 404}") + "\n")
			continue
		}
		out.WriteString("    backends:\n" + d.backends() + d.actions())
	}
	return out.String()
}

// backends share one priority, or stand in several. Pods of the gateway's own
// cluster have no lower priority there.
func (d dice) backends() string {
	var out strings.Builder
	all := []string{"cluster: cluster2", "cluster: cluster2, subset: {version: v2}", "cluster: cluster3"}
	priorities := 1 + d.IntN(3)
	if priorities == 1 {
		all = append(all, "cluster: cluster1")
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, b := range all[:max(priorities, 1+d.IntN(len(all)))] {
		// The first of each priority is there for certain.
		priority := i
		if i >= priorities {
			priority = d.IntN(priorities)
		}
		fmt.Fprintf(&out, "    - {%s, weight: %d, priority: %d}\n", b, 1+d.IntN(9), priority)
	}
	return out.String()
}

const randomPolicy = `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: web, namespace: random}
spec:
  service: {name: web, ports: [{port: 80, protocol: http}]}
  exports: {from: {clusters: [cluster1, cluster2, cluster3]}}
  imports: {to: {clusters: [cluster1]}}
  frontends: [{gateway: {name: eg}, hostnames: [www.example.com, "*.example.org"]}]
  rules:
%s%s  acceptDegradations:
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

// random makes a scenario, false where the policy is one that is refused.
func (d dice) random(t *testing.T) (scenario, bool) {
	t.Helper()
	text, err := yaml.Marshal(named(t, "weights").inv)
	if err != nil {
		t.Fatal(err)
	}
	access := d.pick("", "", "  access: {allow: [{methods: [GET, PUT]}]}\n", "  access: {allow: [{paths: [{prefix: /a}, {exact: /}]}, {methods: [POST], paths: [{prefix: /c}]}]}\n")
	policy := fmt.Appendf(nil, randomPolicy, d.rules(), access)
	out := scenario{name: string(policy), store: "cluster1", inv: observed(t, []byte(strings.ReplaceAll(string(text), "weights", "random"))),
		files: fstest.MapFS{"set.yaml": {Data: []byte(randomSet)}, "web.yaml": {Data: policy}}}
	var diags []diag.Diagnostic
	out.result, diags = compiler.Compile(out.files, out.inv)
	return out, !diag.HasErrors(diags)
}

// TestRandom: what Envoy is told is what the simulator says for policies that
// nobody wrote.
func TestRandom(t *testing.T) {
	s, d := Start(t), dice{rand.New(rand.NewPCG(11, 12))}
	const policies, tries = 12, 200
	done := 0
	for i := 0; done < policies && i < tries; i++ {
		sc, ok := d.random(t)
		if !ok {
			continue
		}
		done++
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			bringUp(t, s, sc).compare(t)
			if t.Failed() {
				t.Log(sc.name)
			}
		})
	}
	if done < policies {
		t.Errorf("only %d policies compiled", done)
	}
}
