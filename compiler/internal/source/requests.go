// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fairlead/fairlead/compiler/diag"
)

// checkRegexes compiles expressions as the proxies do, which is as Go does
// (RE2 syntax).
func (c *checker) checkRegexes() {
	for _, v := range c.right {
		if !strings.HasSuffix(v.schema.path, ".regex") {
			continue
		}
		_, err := syntax.Parse(v.text, syntax.Perl)
		if broken, ok := err.(*syntax.Error); ok {
			c.say(place{v.path, v.at}, diag.CodeRegex, fmt.Sprintf("the expression %s cannot be read: %s%s", quote(v.text), broken.Code, whereIn(v.text, broken.Expr)),
				"write RE2 syntax, as in Go; it has no lookaround and no backreferences")
		}
	}
}

// whereIn says where a part of a text begins, in characters from 1.
func whereIn(text, part string) string {
	i := strings.Index(text, part)
	if i < 0 || part == "" || part == text {
		return ""
	}
	return fmt.Sprintf(" at character %d, %s", utf8.RuneCountInString(text[:i])+1, quote(part))
}

// protocols are those of the ports that a policy governs.
type protocols struct {
	ports cursor
	all   []string
}

// any tells whether some port speaks one of these; true where the ports
// are the inventory's to tell, or cannot be read.
func (p protocols) any(of ...string) bool {
	return p.all == nil || slices.ContainsFunc(p.all, func(name string) bool { return slices.Contains(of, name) })
}

func (c *checker) protocols(spec cursor) protocols {
	p := protocols{ports: spec.get("service", "ports")}
	if c.touches(p.ports.path) {
		return p
	}
	for _, port := range p.ports.items() {
		protocol := port.get("protocol").text()
		if protocol == "" {
			protocol = "tcp"
		}
		p.all = append(p.all, protocol)
	}
	return p
}

// ofRequests are the fields of a rule that only requests have use for.
var ofRequests = []string{"matches", "redirect", "directResponse", "rewrite", "requestHeaders", "responseHeaders", "timeout", "retries",
	"mirror", "faults", "cors", "rateLimit", "sessionAffinity.cookie", "sessionAffinity.header"}

// checkRequests reports what is about requests where a policy governs only
// connections.
func (c *checker) checkRequests(spec cursor, p protocols) {
	if p.any("http", "grpc") {
		return
	}
	serverNames := p.any("tls") && spec.onlyGateways()
	for _, r := range spec.get("rules").items() {
		fields := ofRequests
		if matches := r.get("matches"); serverNames && matches.says() {
			c.onlyServerNames(matches, p)
			fields = fields[1:]
		}
		c.needsRequests(r, fields, p)
	}
	for _, entry := range spec.get("access", "allow").items() {
		c.needsRequests(entry, []string{"methods", "paths"}, p)
	}
}

// needsRequests reports those fields of a mapping that are there.
func (c *checker) needsRequests(x cursor, fields []string, p protocols) {
	fields = slices.DeleteFunc(slices.Clone(fields), func(name string) bool { return !x.get(strings.Split(name, ".")...).says() })
	if len(fields) == 0 {
		return
	}
	fix := "give the port \"protocol: http\", or remove them"
	if len(fields) == 1 {
		fix = fmt.Sprintf("give the port \"protocol: http\", or remove %s", fields[0])
	}
	c.say(x.get(strings.Split(fields[0], ".")...).place(), diag.CodeNeedsRequests,
		fmt.Sprintf("a port with protocol http or grpc is needed for %s; this policy governs none", enumerate(fields, "and")), fix)
	c.last().Related = []diag.Related{{Position: p.ports.at, Message: "the ports"}}
}

// onlyServerNames reports what is matched besides the server name that a
// client's TLS asks for, which a gateway can read without decrypting.
func (c *checker) onlyServerNames(matches cursor, p protocols) {
	for _, m := range matches.items() {
		for _, name := range []string{"path", "headers", "methods", "query", "source"} {
			if f := m.get(name); f.says() {
				c.say(f.place(), diag.CodeNeedsRequests, fmt.Sprintf("of a connection with TLS only the authority can be matched, not %s", name),
					"match the authority alone, or govern a port with protocol http")
				c.last().Related = []diag.Related{{Position: p.ports.at, Message: "the ports"}}
			}
		}
	}
}

// onlyGateways tells whether requests of a policy come in at gateways alone.
func (x cursor) onlyGateways() bool {
	frontends := x.get("frontends").items()
	return len(frontends) > 0 && !slices.ContainsFunc(frontends, func(f cursor) bool { return !f.get("gateway").there() })
}

// checkGRPC reports answers of gRPC where no port speaks it.
func (c *checker) checkGRPC(spec cursor, p protocols) {
	if p.any("grpc") {
		return
	}
	for _, r := range spec.get("rules").items() {
		if f := r.get("faults", "abort", "grpcStatus"); f.there() && p.any("http") {
			c.say(f.place(), diag.CodeNeedsGRPC, "grpcStatus needs a port with protocol grpc; this policy governs none", "write status, or give the port \"protocol: grpc\"")
			c.last().Related = []diag.Related{{Position: p.ports.at, Message: "the ports"}}
		}
	}
}

// checkPrefixes reports prefixes that are replaced where none was matched.
func (c *checker) checkPrefixes(rule cursor) {
	for _, action := range []string{"redirect", "rewrite"} {
		f := rule.get(action, "path", "prefix")
		matches := rule.get("matches")
		if !f.says() || c.touches(matches.path) {
			continue
		}
		if !matches.says() {
			c.say(f.place(), diag.CodePrefix, "there is no prefix to replace: the rule has no matches", "write full, or give the rule matches with a path prefix")
			continue
		}
		for _, m := range matches.items() {
			if !m.get("path", "prefix").there() {
				c.say(f.place(), diag.CodePrefix, "there is no prefix to replace in every match of the rule", "give each match a path prefix, or write full")
				c.last().Related = []diag.Related{{Position: m.at, Message: "a match without"}}
				break
			}
		}
	}
}

// checkCredentials: browsers refuse answers that let every origin in with its
// cookies, and read "*" as a name there (the Fetch standard).
func (c *checker) checkCredentials(rule cursor) {
	cors := rule.get("cors")
	credentials := cors.get("allowCredentials")
	if credentials.text() != "true" {
		return
	}
	var stars []cursor
	for _, origin := range cors.get("allowOrigins").items() {
		stars = append(stars, origin.get("exact"))
	}
	stars = slices.Concat(stars, cors.get("allowHeaders").items(), cors.get("exposeHeaders").items())
	for _, f := range stars {
		if f.text() == "*" {
			c.say(f.place(), diag.CodeCredentials, "browsers do not take \"*\" together with allowCredentials", "name what is allowed, or remove allowCredentials")
			c.last().Related = []diag.Related{{Position: credentials.at, Message: "the credentials"}}
		}
	}
}
