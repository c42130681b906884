// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Asked is a request at a Gateway, or a connection: its scheme is http, grpc,
// tls, tcp or udp.
type Asked struct {
	Scheme, Host, Method, Path string
	// Headers, with names in small letters, and parameters.
	Headers, Query map[string]string
}

// Reply is what becomes of it, in the words of a trace.
type Reply struct {
	Verdict string
	// Status of an answer that no pod gives.
	Status int
	// Shares by the name of who serves, and the part that nobody does where
	// others are served.
	Shares   map[string]float64
	Unserved float64
	// Applied to the request or its answer.
	Applied map[string]string
}

// Ground tells who stands behind addresses.
type Ground struct {
	// Servers by address and port, in the words of a trace.
	Servers map[string]string
	// Dead addresses take no connections.
	Dead map[string]bool
}

// Reply says what the proxies of a Gateway do with a request.
func (c Configuration) Reply(q Asked, g Ground) (Reply, error) {
	c = c.without(g.Dead)
	if q.Scheme != "http" && q.Scheme != "grpc" {
		return c.connection(q, g)
	}
	host, ok := c.host(q.Host)
	if !ok {
		return Reply{Verdict: "noRoute", Status: http.StatusNotFound}, nil
	}
	i := slices.IndexFunc(host.Routes, func(r Route) bool { return r.Match.Takes(q) })
	if i < 0 {
		return Reply{Verdict: "noRoute", Status: http.StatusNotFound}, nil
	}
	r := host.Routes[i]
	for name := range r.Filters {
		if !slices.Contains(host.Filters, name) {
			return Reply{}, fmt.Errorf("route %s says something to filter %s, which the listener does not have", r.Name, name)
		}
	}
	if open, err := r.admits(q); err != nil || !open {
		return Reply{Verdict: "refused", Status: http.StatusForbidden}, err
	}
	applied := map[string]string{}
	switch {
	case r.Location != nil:
		applied["location"] = r.location(q)
		return Reply{Verdict: "redirected", Status: r.Status, Applied: applied}, nil
	case r.Status != 0 && r.Body == "" && r.Status == http.StatusServiceUnavailable:
		return unreachable(q), nil
	case r.Status != 0:
		note(applied, "body", r.Body)
		return Reply{Verdict: "directResponse", Status: r.Status, Applied: applied}, nil
	}
	if err := c.applied(r, q, g, applied); err != nil {
		return Reply{}, fmt.Errorf("route %s: %w", r.Name, err)
	}
	return c.served(q, r.Targets, g, applied)
}

// note says what is done, if anything.
func note(applied map[string]string, what, how string) {
	if how != "" {
		applied[what] = how
	}
}

func unreachable(q Asked) Reply {
	out := Reply{Verdict: "unreachable"}
	if q.Scheme == "http" || q.Scheme == "grpc" {
		out.Status = http.StatusServiceUnavailable
	}
	return out
}

// served divides between those who serve.
func (c Configuration) served(q Asked, targets []Target, g Ground, applied map[string]string) (Reply, error) {
	const nothing = 1e-9
	out := Reply{Verdict: "served", Shares: map[string]float64{}, Unserved: 1, Applied: applied}
	for _, s := range c.Shares(targets) {
		if g.Dead[s.Address] {
			continue
		}
		name, ok := g.Servers[s.Address]
		if !ok {
			return out, fmt.Errorf("nobody is known behind %s", s.Address)
		}
		out.Shares[name] += s.Part
		out.Unserved -= s.Part
	}
	if len(out.Shares) == 0 {
		return unreachable(q), nil
	}
	if out.Unserved < nothing {
		out.Unserved = 0
	}
	return out, nil
}

// connection says what becomes of what no proxy looks into. A Gateway of tests
// has one listener with routes of each kind.
func (c Configuration) connection(q Asked, g Ground) (Reply, error) {
	best, found := Stream{}, -1
	for _, s := range c.Streams {
		if s.Scheme != q.Scheme || len(s.Targets) == 1 && s.Targets[0].Cluster == "EmptyCluster" {
			continue
		}
		if n := covered(s.ServerNames, q.Host); n > found {
			best, found = s, n
		}
	}
	if found < 0 {
		return Reply{Verdict: "noRoute"}, nil
	}
	return c.served(q, best.Targets, g, nil)
}

// covered tells how closely one of some names means a host: not at all below 0,
// and 0 for everything.
func covered(names []string, host string) int {
	best := -1
	if len(names) == 0 {
		best = 0
	}
	for _, n := range names {
		switch suffix, wild := strings.CutPrefix(n, "*"); {
		case n == host:
			best = max(best, 1000+len(n))
		case wild && strings.HasSuffix(host, suffix) && len(host) > len(suffix):
			best = max(best, len(suffix))
		}
	}
	return best
}

// host finds the virtual host that a request is for.
func (c Configuration) host(name string) (Host, bool) {
	best, found := Host{}, -1
	for _, h := range c.Hosts {
		if n := covered(h.Domains, name); n > found {
			best, found = h, n
		}
	}
	return best, found >= 0
}

// without is the configuration once the proxies have noticed who takes no
// connections any more: only those of clusters that are told to look, and as
// many as may be ejected there.
func (c Configuration) without(dead map[string]bool) Configuration {
	out := c
	out.Clusters = map[string]Cluster{}
	for name, cluster := range c.Clusters {
		ejected := cluster.ejectable()
		cluster.Localities = slices.Clone(cluster.Localities)
		for i, l := range cluster.Localities {
			cluster.Localities[i].Endpoints = nil
			for _, e := range l.Endpoints {
				if dead[e.Address] && ejected > 0 {
					ejected--
					e.Healthy = false
				}
				cluster.Localities[i].Endpoints = append(cluster.Localities[i].Endpoints, e)
			}
		}
		out.Clusters[name] = cluster
	}
	return out
}

// ejectable is how many endpoints of a cluster its proxies may leave out on
// their own (Envoy, OutlierDetection, max_ejection_percent, 10 unless it is
// given). Those that they ask themselves have no limit.
func (c Cluster) ejectable() int {
	if _, asks := c.Raw["healthChecks"]; asks {
		return c.endpoints()
	}
	looks, ok := c.Raw["outlierDetection"].(map[string]any)
	if !ok {
		return 0
	}
	limit := 10.0
	if given, ok := looks["maxEjectionPercent"].(float64); ok {
		limit = given
	}
	return int(limit * float64(c.endpoints()) / 100)
}

// Takes tells whether a request has what a route asks for.
func (m Match) Takes(q Asked) bool {
	switch {
	case m.Path != "" && q.Path != m.Path,
		m.Prefix != "" && !strings.HasPrefix(q.Path, m.Prefix),
		m.ElementPrefix != "" && q.Path != m.ElementPrefix && !strings.HasPrefix(q.Path, m.ElementPrefix+"/"),
		m.Regex != "" && !whole(m.Regex, q.Path),
		m.GRPC && q.Scheme != "grpc":
		return false
	}
	headers := map[string]string{":method": q.Method, ":authority": q.Host}
	for name, value := range q.Headers {
		headers[name] = value
	}
	return all(m.Headers, headers) && all(m.Query, q.Query)
}

// whole tells whether an expression takes a text from its begin to its end.
func whole(expression, text string) bool {
	return regexp.MustCompile("^(?:" + expression + ")$").MatchString(text)
}

// all tells whether values meet conditions, as the documentation of Match has
// them.
func all(conditions []string, values map[string]string) bool {
	for _, c := range conditions {
		bare := strings.TrimPrefix(c, "!")
		at := strings.IndexAny(bare, "=^~")
		name, want := bare, ""
		if at >= 0 {
			name, want = bare[:at], bare[at:]
		}
		v, there := values[name]
		ok := there
		switch {
		case strings.HasPrefix(want, "~="):
			ok = there && whole(want[2:], v)
		case strings.HasPrefix(want, "^="):
			ok = there && strings.HasPrefix(v, want[2:])
		case strings.HasPrefix(want, "="):
			ok = there && v == want[1:]
		}
		if ok == (bare != c) {
			return false
		}
	}
	return true
}

// location is where a redirect leads. A Gateway of tests listens at port 80.
func (r Route) location(q Asked) string {
	text := func(field string) string { s, _ := r.Location[field].(string); return s }
	scheme := cmp.Or(text("schemeRedirect"), "http")
	port := 80
	if text("schemeRedirect") == "https" {
		port = 443
	}
	if n, ok := r.Location["portRedirect"].(float64); ok {
		port = int(n)
	}
	host := cmp.Or(text("hostRedirect"), q.Host)
	if port != map[string]int{"http": 80, "https": 443}[scheme] {
		host = fmt.Sprintf("%s:%d", host, port)
	}
	path := q.Path
	switch rewrite, _ := r.Location["regexRewrite"].(map[string]any); {
	case text("pathRedirect") != "":
		path = text("pathRedirect")
	case text("prefixRewrite") != "":
		path = r.replaced(q.Path, text("prefixRewrite"), "")
	case rewrite != nil:
		pattern, _ := rewrite["pattern"].(map[string]any)
		by, _ := rewrite["substitution"].(string)
		expression, _ := pattern["regex"].(string)
		path = r.replaced(q.Path, by, expression)
	}
	return scheme + "://" + host + path
}
