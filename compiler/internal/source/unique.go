// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// lists are what the items of a list of scalars are called, by its name. Such a
// list is a set: an item stands in it once.
var lists = map[string]string{
	"addresses": "address", "allowHeaders": "header", "allowMethods": "method", "clusters": "cluster", "expectedStatuses": "status",
	"exposeHeaders": "header", "hostnames": "hostname", "hubs": "hub", "lost": "cluster", "methods": "method", "names": "family of names",
	"namespaces": "namespace", "on": "condition", "paths": "path", "podCIDRs": "CIDR", "ports": "port", "privateAddresses": "address", "remove": "header",
	"serviceAccounts": "service account", "serviceCIDRs": "CIDR",
}

// keys are the fields that tell the items of a list apart, by list and field,
// and what they are called.
var keys = map[string]string{
	"cases.name": "case", "clusters.name": "cluster name", "gateways.name": "gateway name", "gateways.node": "gateway node", "groups.name": "group name", "headers.name": "header", "loads.name": "load",
	"ports.port": "port", "query.name": "query parameter", "rules.name": "rule name", "set.name": "header", "stages.name": "stage name",
}

// keyed notes for the items of a list what tells them apart.
func (s *schema) keyed() {
	name := s.path[strings.LastIndexByte(s.path, '.')+1:]
	s.Items.once = lists[name]
	for field, p := range s.Items.Properties {
		p.once = keys[name+"."+field]
	}
}

// checkUnique reports what stands in its list before. In CUE this would take
// time by the square of the list's length.
func (c *checker) checkUnique() {
	first := map[string]diag.Position{}
	for _, v := range c.right {
		what := v.schema.once
		// An empty rule name is none.
		if what == "" || v.text == "" {
			continue
		}
		text := v.text
		if what == "header" {
			// The names of headers are compared without case (RFC 9110, 5.1).
			text = strings.ToLower(text)
		}
		key := v.path[:strings.LastIndexByte(v.path, '[')] + "=" + text
		before, twice := first[key]
		if !twice {
			first[key] = v.at
			continue
		}
		c.wrongValue(v, diag.CodeTwice, fmt.Sprintf("the %s %s is given twice", what, quote(text)), "keep one of them")
		c.diags[len(c.diags)-1].Related = []diag.Related{{Position: before, Message: "the first one"}}
	}
}
