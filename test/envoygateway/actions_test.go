// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What becomes of requests by the story of the compiler, by the path that their
// rule matches.
func wantedActions() map[string]Route {
	moved := Route{Status: 301, Location: map[string]any{"schemeRedirect": "https", "hostRedirect": "new.example.com", "prefixRewrite": "/new"}}
	return map[string]Route{
		"/old": moved, "/older": moved,
		"/teapot": {Status: 418, Body: "100% tea"},
		"/v1": {Timeout: "0s", HostRewrite: "inner.example.com", PathRewrite: "/", RequestHeaders: []string{"+x-more: a", "=x-share: 50%%", "-x-less"},
			ResponseHeaders: []string{"+x-served: fairlead"}},
		"/other": {Timeout: "0s"}, "/broken": {Timeout: "0s"}, "/limited": {Timeout: "0s"}, "/sticky": {Timeout: "0s"},
		"/hashed": {Timeout: "0s", HashPolicies: []string{"x-user"}},
		"/": {Timeout: "1.500s", Retry: &Retry{Attempts: 3, PerTryTimeout: "0.500s",
			On: []string{"5xx", "connect-failure", "gateway-error", "refused-stream", "reset", "retriable-4xx"}}},
	}
}

// What filters of single routes say, as parts of their JSON without spaces.
var wantedFilters = map[string][]string{
	"/broken": {`"abort":{"httpStatus":503,"percentage":{"denominator":"MILLION","numerator":100000}}`,
		`"delay":{"fixedDelay":"0.150s","percentage":{"denominator":"MILLION","numerator":500000}}`},
	"/limited": {`"allowCredentials":true`, `"allowHeaders":"x-token"`, `"allowMethods":"GET,PUT"`, `"allowOriginStringMatch":[{"exact":"https://www.example.com"}]`,
		`"maxAge":"600"`, `"tokenBucket":{"fillInterval":"60s","maxTokens":100,"tokensPerFill":100}`},
	"/sticky": {`"cookie":{"name":"session","path":"/sticky","ttl":"3600s"}`},
}

// What the clusters of every rule say.
var wantedOfClusters = []string{
	`"thresholds":[{"maxConnections":200,"maxPendingRequests":4294967295,"maxRequests":300,"maxRetries":4294967295}]`,
	`"connectTimeout":"2s"`, `"idleTimeout":"90s"`, `"maxRequestsPerConnection":1000`,
	`"tcpKeepalive":{"keepaliveInterval":10,"keepaliveProbes":3,"keepaliveTime":60}`,
	`"baseEjectionTime":"20s","consecutive5xx":7`, `"maxEjectionPercent":30`, `"healthyPanicThreshold":{}`,
	`"httpHealthCheck":{"expectedStatuses":[{"end":"201","start":"200"},{"end":"205","start":"204"}],"host":"www.example.com","path":"/ready"},"interval":"5s","timeout":"2s","unhealthyThreshold":2`,
}

// plainText is the JSON of a value without spaces.
func plainText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), " ", "")
}

func lacks(text string, parts []string) error {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return fmt.Errorf("%s is not in %s", p, text)
		}
	}
	return nil
}

// Every action of a rule is what Envoy is told to do.
func TestActions(t *testing.T) {
	s, r := upNamed(t, "actions")
	web, other := part(r, "actions/web-cluster2", 80), part(r, "elsewhere/other-cluster2", 80)
	s.Settled(t, "actions", "eg", func(c Configuration) error {
		want := wantedActions()
		for _, h := range c.Hosts {
			if h.Domains[0] != "www.example.com" {
				continue
			}
			for _, got := range h.Routes {
				path := got.Match.Path + got.Match.Prefix + got.Match.ElementPrefix
				if diff := cmp.Diff(want[path], got, cmpopts.IgnoreFields(Route{}, "Name", "Match", "Targets", "Filters", "PathPattern")); diff != "" {
					return fmt.Errorf("%s: %s", path, diff)
				}
				delete(want, path)
				if err := lacks(plainText(got.Filters), wantedFilters[path]); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				if err := served(c, got, map[bool]string{true: other, false: web}[path == "/other"]); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
		}
		if len(want) > 0 {
			return fmt.Errorf("no routes for %v", want)
		}
		return nil
	})
}

// served tells whether a route that asks somebody asks the right one, by a
// cluster that is as the policy says.
func served(c Configuration, r Route, address string) error {
	if r.Status != 0 {
		return nil
	}
	if err := approximately(c.Shares(r.Targets), map[string]float64{address: 1}); err != nil {
		return err
	}
	cluster := c.Clusters[r.Targets[0].Cluster]
	balancer := "round_robin"
	if len(r.HashPolicies) > 0 {
		balancer = "maglev"
	}
	return lacks(plainText(cluster.Raw), append([]string{"load_balancing_policies." + balancer}, wantedOfClusters...))
}

// Who may not ask for something is told so by the gateway.
func TestAccess(t *testing.T) {
	s, _ := upNamed(t, "access")
	s.Settled(t, "access", "eg", func(c Configuration) error {
		closed, err := c.route("www.example.com", Match{Prefix: "/"})
		if err != nil {
			return err
		}
		open, err := c.route("open.example.com", Match{Prefix: "/"})
		if err != nil {
			return err
		}
		if text := plainText(open.Filters); strings.Contains(text, "rbac") {
			return fmt.Errorf("open.example.com has %s", text)
		}
		return lacks(plainText(closed.Filters), []string{"rbac", `"exact":"GET"`, `"regex":"^/api(/`, `"regex":"^/(\\?.*|`, `"exact":"POST"`, `"regex":"^/forms(/`, `"action":"DENY"`})
	})
}
