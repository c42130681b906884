// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"cmp"
	"fmt"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// backends writes the references of one rule: the first tier, and all others as
// the second.
func (e *emission) backends(r plan.Rule) []any {
	var out []any
	for i, tier := range r.Tiers {
		for _, b := range tier {
			if b.Absent {
				continue
			}
			ref := e.reference(b)
			if i > 0 {
				ref = e.fallback(b, r.Version(e.port()))
			}
			ref["weight"] = b.Weight
			out = append(out, ref)
		}
	}
	return out
}

// reference names the Service or the import that a backend is behind.
func (e *emission) reference(b plan.Backend) content {
	out := content{"group": mcsGroup, "kind": "ServiceImport", "name": b.Object, "port": e.portOf(b)}
	if b.Local {
		out["group"], out["kind"] = "", "Service"
	}
	if b.Namespace != "" && b.Namespace != e.route.Namespace {
		out["namespace"] = b.Namespace
		e.grant(b, out)
	}
	return out
}

// portOf is the backend's own port, or the one that was called.
func (e *emission) portOf(b plan.Backend) int64 {
	return int64(cmp.Or(b.Port, e.port().Number))
}

// grant lets routes refer to what is in another namespace.
func (e *emission) grant(b plan.Backend, ref content) {
	grant := manifest.Ref{APIVersion: gatewayGroup + "/v1beta1", Kind: "ReferenceGrant", Namespace: b.Namespace, Name: e.route.Namespace + "." + e.name + "." + b.Object}
	e.add(grant, content{
		"from": []any{content{"group": gatewayGroup, "kind": e.kind(), "namespace": e.route.Namespace}},
		"to":   []any{content{"group": ref["group"], "kind": ref["kind"], "name": b.Object}},
	})
}

// fallback writes the address of a backend of the second tier, whose pods are
// spoken to as those of the first are.
func (e *emission) fallback(b plan.Backend, version plan.Version) content {
	port := e.portOf(b)
	name := fmt.Sprintf("%s.%s.%d", e.name, b.Object, port)
	spec := content{"fallback": true, "endpoints": []any{content{"ip": content{"address": b.Address.String(), "port": port}}}}
	if version == plan.HTTP2 && e.port().L7() {
		spec["appProtocols"] = []any{"gateway.envoyproxy.io/h2c"}
	}
	e.add(e.envoyKind("Backend", name), spec)
	return content{"group": envoyGroup, "kind": "Backend", "name": name, "port": port}
}
