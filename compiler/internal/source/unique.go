// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/compiler/diag"
)

// unique are the values that stand once in their list, by path without the
// places in lists, and what they are called.
var unique = map[string]string{
	"spec.service.ports.port":                       "port",
	"spec.exports.from.clusters":                    "cluster",
	"spec.imports.to.clusters":                      "cluster",
	"spec.rules.name":                               "rule name",
	"spec.rules.matches.headers.name":               "header",
	"spec.rules.matches.methods":                    "method",
	"spec.rules.retries.on":                         "condition",
	"spec.clusters.name":                            "cluster name",
	"spec.clusters.gateways.name":                   "gateway name",
	"spec.clusters.gateways.addresses":              "address",
	"spec.clusters.istio.eastWestGateway.addresses": "address",
}

// checkUnique reports what stands in its list before. In CUE this would take
// time by the square of the list's length.
func (c *checker) checkUnique() {
	first := map[string]diag.Position{}
	for _, v := range c.right {
		what, ok := unique[v.schema.path]
		// An empty rule name is none.
		if !ok || v.text == "" {
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
