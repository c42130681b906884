// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// checkPolicy checks what takes more than one field of a TrafficPolicy.
func (c *checker) checkPolicy(root cursor) {
	spec := root.get("spec")
	// What a backend leaves out is the policy's own.
	own := map[string]string{"namespace": root.get("metadata", "namespace").text(), "service": spec.get("service", "name").text()}
	p := c.protocols(spec)
	c.checkHeaderNames()
	c.checkRequests(spec, p)
	c.checkGRPC(spec, p)
	c.checkFrontends(spec, own["namespace"])
	for _, r := range spec.get("rules").items() {
		c.checkPrefixes(r)
		c.checkCredentials(r)
		c.checkHeaderChanges(r)
		c.checkBackends(r, own)
	}
}

// checkFrontends reports places that are given twice, and matches of callers
// that a gateway cannot tell.
func (c *checker) checkFrontends(spec cursor, namespace string) {
	first := map[string]cursor{}
	once := func(key, what string, f cursor) {
		before, twice := first[key]
		if !twice {
			first[key] = f
			return
		}
		c.say(f.place(), diag.CodeTwice, what+" is given twice", "keep one of them")
		c.last().Related = []diag.Related{{Position: before.at, Message: "the first one"}}
	}
	var gateway cursor
	for _, f := range spec.get("frontends").items() {
		if mesh := f.get("mesh"); mesh.there() {
			once("mesh", "the mesh", mesh)
		}
		g := f.get("gateway")
		if !g.there() || c.touches(g.path) {
			continue
		}
		gateway = g
		key := strings.Join([]string{cmp.Or(g.get("namespace").text(), namespace), g.get("name").text(), g.get("listener").text()}, "/")
		here := map[string]bool{}
		for _, h := range f.get("hostnames").items() {
			// Twice in one list is said of the list.
			if name := h.text(); name != "" && !here[name] {
				here[name] = true
				once(key+"/"+name, fmt.Sprintf("%s at the gateway %s", quote(name), quote(g.get("name").text())), h)
			}
		}
	}
	if !gateway.there() {
		return
	}
	for _, r := range spec.get("rules").items() {
		for _, m := range r.get("matches").items() {
			if source := m.get("source"); source.there() {
				c.say(source.place(), diag.CodeSourceAtGateway, "a gateway does not know where a request comes from", "remove source, or write a policy of its own for the gateway")
				c.last().Related = []diag.Related{{Position: gateway.at, Message: "the gateway"}}
			}
		}
	}
}

// checkBackends reports backends of a rule that are the same pods.
func (c *checker) checkBackends(rule cursor, own map[string]string) {
	first := map[string]cursor{}
	for _, b := range rule.get("backends").items() {
		if b.get("cluster").text() == "" || c.touches(b.path) {
			continue
		}
		var key []string
		for _, name := range []string{"cluster", "namespace", "service", "port"} {
			key = append(key, cmp.Or(b.get(name).text(), own[name]))
		}
		key = append(key, b.get("subset").n.labels())
		text := strings.Join(key, "/")
		before, twice := first[text]
		if !twice {
			first[text] = b
			continue
		}
		c.say(b.place(), diag.CodeSameBackend, "this backend is given twice in the rule", "keep one of the two; a backend has one weight and one priority")
		c.last().Related = []diag.Related{{Position: before.at, Message: "the first one"}}
	}
}
