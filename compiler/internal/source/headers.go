// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// token is what names of headers are (RFC 9110, section 5.1).
var token = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// headerFields are the fields that name a header, and what is done to it there.
var headerFields = map[string]headerUse{
	"spec.rules.matches.headers.name":     matched,
	"spec.rules.requestHeaders.set.name":  changed,
	"spec.rules.requestHeaders.add.name":  changed,
	"spec.rules.requestHeaders.remove":    changed,
	"spec.rules.responseHeaders.set.name": answered,
	"spec.rules.responseHeaders.add.name": answered,
	"spec.rules.responseHeaders.remove":   answered,
	"spec.rules.sessionAffinity.header":   matched,
	"spec.rules.cors.allowHeaders":        listed,
	"spec.rules.cors.exposeHeaders":       listed,
}

type headerUse int

const (
	matched headerUse = iota
	changed
	answered
	listed
)

// pseudo are the names by which HTTP/2 sends what is no header (RFC 9113,
// section 8.3), and what the policy has for them.
var pseudo = map[string]string{
	":authority": "authority in a match, or rewrite.hostname", ":path": "path in a match, or rewrite.path",
	":method": "methods in a match", ":scheme": "redirect.scheme", ":status": "directResponse",
}

// hopByHop are the headers of one connection (RFC 9110, section 7.6.1), and the
// length and form of the body, which proxies write anew.
var hopByHop = []string{"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// checkHeaderNames checks every name of a header.
func (c *checker) checkHeaderNames() {
	for _, v := range c.right {
		use, ok := headerFields[v.schema.path]
		if !ok || use == listed && v.text == "*" {
			continue
		}
		at, name := place{v.path, v.at}, strings.ToLower(v.text)
		switch instead, isPseudo := pseudo[name]; {
		case isPseudo:
			c.say(at, diag.CodeHeaderName, fmt.Sprintf("%q is not a header", v.text), "write "+instead)
		case v.text == "" && use == matched:
			// Said where one of several fields is chosen.
		case !token.MatchString(v.text):
			c.say(at, diag.CodeHeaderName, fmt.Sprintf("%s is not the name of an HTTP header", quote(v.text)), "use letters, digits and dashes")
		case name == "host" && use == matched:
			c.say(at, diag.CodeReservedHeader, "the header \"host\" is the authority of the request", "write authority")
		case name == "host" && use == changed:
			c.say(at, diag.CodeReservedHeader, "the header \"host\" is the authority of the request", "write rewrite.hostname")
		case slices.Contains(hopByHop, name) && (use == changed || use == answered):
			c.say(at, diag.CodeReservedHeader, fmt.Sprintf("the header %q is of one connection, and each proxy writes its own", v.text), "remove it")
		}
	}
}

// checkHeaderChanges reports headers that are changed twice; the order of the
// changes would decide.
func (c *checker) checkHeaderChanges(rule cursor) {
	for _, block := range []string{"requestHeaders", "responseHeaders"} {
		first := map[string]cursor{}
		changes := rule.get(block)
		for _, list := range []string{"set", "add", "remove"} {
			for _, item := range changes.get(list).items() {
				f := item
				if list != "remove" {
					f = item.get("name")
				}
				name := strings.ToLower(f.text())
				before, twice := first[name]
				switch {
				case name == "" || c.touches(f.path):
					// Twice in one list was said of the list.
				case !twice:
					first[name] = f
				default:
					c.say(f.place(), diag.CodeTwice, fmt.Sprintf("the header %q is changed twice", name), "keep one of the changes")
					c.last().Related = []diag.Related{{Position: before.at, Message: "the first one"}}
				}
			}
		}
	}
}
