// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// security is the content of a SecurityPolicy for one rule.
func (e *emission) security(r plan.Rule) content {
	out := content{}
	if r.CORS != nil {
		out["cors"] = cors(r.CORS)
	}
	if a := e.route.Access; a != nil && e.port().L7() {
		out["authorization"] = content{"defaultAction": "Deny", "rules": e.allowed(a)}
	}
	return out
}

func cors(c *v1alpha1.CORS) content {
	out := content{}
	var origins []any
	for _, o := range c.AllowOrigins {
		origins = append(origins, o.Exact)
	}
	putList(out, "allowOrigins", origins)
	putList(out, "allowMethods", texts(c.AllowMethods))
	putList(out, "allowHeaders", texts(c.AllowHeaders))
	putList(out, "exposeHeaders", texts(c.ExposeHeaders))
	put(out, "allowCredentials", c.AllowCredentials)
	put(out, "maxAge", duration(c.MaxAge))
	return out
}

// everywhere is every address that a request can come from: a rule of Envoy
// Gateway names somebody.
var everywhere = []any{"0.0.0.0/0", "::/0"}

// allowed lists what requests from outside may ask for.
func (e *emission) allowed(a *plan.Access) []any {
	out := []any{}
	for _, entry := range a.Allow {
		if len(entry.Ports) > 0 && !slices.Contains(entry.Ports, v1alpha1.PortNumber(e.port().Number)) {
			continue
		}
		paths := entry.Paths
		if len(paths) == 0 {
			paths = []v1alpha1.PathMatch{{}}
		}
		for _, p := range paths {
			operation := content{}
			putList(operation, "methods", texts(entry.Methods))
			switch {
			case p.Exact != "":
				operation["path"] = content{"type": "Exact", "value": p.Exact}
			case p.Prefix != "":
				operation["path"] = content{"type": "PathPrefix", "value": p.Prefix}
			}
			rule := content{"action": "Allow", "principal": content{"clientCIDRs": everywhere}}
			if len(operation) > 0 {
				rule["operation"] = operation
			}
			out = append(out, rule)
		}
	}
	return out
}
