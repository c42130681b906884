// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"fmt"
	"slices"
	"strings"
)

// paths and the like that requests have; matches are made so that they tell some
// of them apart.
var (
	askedPaths = []string{"/", "/api", "/api/", "/api/v1/x", "/apix"}
)

func (c chance) match(outside bool) string {
	all := []func() string{
		func() string {
			how := one(c, "exact", "prefix", "prefix", "prefix", "regex")
			if how == "regex" {
				return "path: {regex: " + one(c, `"/api/v[0-9]/.*"`, `"/ap.+"`, `"/"`, `"/api|/apix"`) + "}"
			}
			return fmt.Sprintf("path: {%s: %s}", how, one(c, "/", "/api", "/api/", "/api/v1", "/apix"))
		},
		func() string {
			return fmt.Sprintf("headers: [{name: %s, %s}]", one(c, "x-canary", "X-User"), one(c, `exact: "1"`, "exact: joe", "prefix: j", `regex: "j.e"`, `regex: "j"`, "present: true", "present: false"))
		},
		func() string { return fmt.Sprintf("methods: [%s]", one(c, "GET", "POST", "GET, POST")) },
		func() string {
			return fmt.Sprintf("query: [{name: %s, %s}]", one(c, "q", "Q"), one(c, `exact: "1"`, `regex: "[0-9]+"`))
		},
		func() string {
			return fmt.Sprintf("authority: {%s}", one(c, "exact: s1", "prefix: s", `regex: "s[0-9].shop"`))
		},
		func() string {
			return one(c, "source: {namespaces: [shop]}", "source: {namespaces: [default]}", "source: {labels: {app: caller}}", "source: {labels: {app: other}}")
		},
	}
	if outside {
		all = all[:4] // a gateway has neither callers nor names of Services
	}
	var out []string
	for len(out) == 0 {
		for i, make := range all {
			if c.IntN(len(all)-i/2) == 0 {
				out = append(out, make())
			}
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// actions are what a rule does besides choosing backends.
func (c chance) actions(clusters []string) []string {
	percent := func() string { return one(c, "", ", percent: 10%", ", percent: 0%") }
	headers := func() string {
		return one(c, "{set: [{name: X-A, value: '1'}]}", "{add: [{name: x-b, value: '100% {of} it'}], remove: [x-c, X-D]}", "{remove: [x-a], set: [{name: x-b, value: y}, {name: x-c, value: 'a\\1'}]}")
	}
	change := func() string { return one(c, "{full: /new}", "{full: '/a\\1b'}") }
	all := []func() string{
		func() string { return "timeout: " + one(c, "90s", "1500ms") },
		func() string {
			return "retries: " + one(c, "{attempts: 3, perTryTimeout: 500ms}", "{attempts: 1, on: [5xx, reset]}", "{attempts: 2}")
		},
		func() string {
			return "rewrite: " + one(c, "{hostname: other.example.com}", "{path: "+change()+"}", "{hostname: x.example.com, path: "+change()+"}")
		},
		func() string { return "requestHeaders: " + headers() },
		func() string { return "responseHeaders: " + headers() },
		func() string {
			return fmt.Sprintf("mirror: {backend: {cluster: %s}%s}", one(c, clusters...), percent())
		},
		func() string {
			return one(c, "faults: {delay: {duration: 2s"+percent()+"}}", "faults: {abort: {status: 500"+percent()+"}}", "faults: {abort: {status: 503}, delay: {duration: 10ms}}")
		},
		func() string {
			return one(c, "cors: {allowOrigins: [{exact: 'https://www.example.com'}, {regex: 'https://.*'}], allowMethods: [PUT], maxAge: 1h}", "cors: {allowOrigins: [{exact: '*'}], allowHeaders: [x-a], exposeHeaders: [x-b]}")
		},
		func() string {
			return "sessionAffinity: " + one(c, "{cookie: {name: user, ttl: 1h}}", "{cookie: {name: user}}", "{header: X-User}")
		},
	}
	if c.IntN(8) == 0 {
		return []string{one(c, "redirect: {hostname: www.example.com}", "redirect: {scheme: https}", "redirect: {port: 8443, status: 307}", "redirect: {path: {full: /moved}, status: 301}",
			"directResponse: {status: 418, body: teapot}", "directResponse: {status: 503}")}
	}
	var out []string
	for _, make := range all {
		if c.IntN(8) == 0 {
			out = append(out, make())
		}
	}
	return out
}

// answers tells whether a rule that says so answers by itself.
func answers(line string) bool {
	return strings.HasPrefix(line, "redirect") || strings.HasPrefix(line, "directResponse")
}

// security is who may call, and how; in clear text more often where tunnels carry
// it.
func (c chance) security(clusters, protocols []string, tunnels bool) []string {
	var out []string
	if c.IntN(4) == 0 {
		var allow []string
		for range c.IntN(4) {
			allow = append(allow, c.caller(clusters, protocols))
		}
		out = append(out, "access: {allow: ["+strings.Join(allow, ", ")+"]}")
	}
	if c.IntN(16) == 0 || tunnels && c.IntN(3) == 0 {
		out = append(out, "tls: {mode: "+one(c, "auto", "mutual", "disable", "disable")+"}")
	}
	return out
}

func (c chance) caller(clusters, protocols []string) string {
	all := []string{"clusters: [" + one(c, clusters...) + "]", "namespaces: [" + one(c, "shop", "default", "shop, default") + "]",
		"namespaces: [" + one(c, "shop", "default") + "], serviceAccounts: [" + one(c, "caller", "other", "caller, other") + "]",
		"ports: [" + one(c, "80", fmt.Sprint(79+len(protocols))) + "]"}
	if protocols[0] == "http" && len(protocols) == 1 {
		all = append(all, "methods: ["+one(c, "GET", "PUT", "GET, POST")+"]", "paths: ["+one(c, "{prefix: /api}", "{exact: /}", "{prefix: /}, {exact: /api}")+"]")
	}
	chosen := some(c, 3, all)
	if slices.Contains(chosen, all[1]) && slices.Contains(chosen, all[2]) {
		chosen = slices.DeleteFunc(chosen, func(s string) bool { return s == all[1] })
	}
	return "{" + strings.Join(chosen, ", ") + "}"
}
