// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"cmp"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// filters writes what a rule changes, copies or answers.
func (e *emission) filters(p piece) []any {
	var out []any
	add := func(kind, field string, value content) {
		if len(value) > 0 {
			out = append(out, content{"type": kind, field: value})
		}
	}
	if d := p.DirectResponse; d != nil {
		e.directResponse(p)
		add("ExtensionRef", "extensionRef", content{"group": envoyGroup, "kind": "HTTPRouteFilter", "name": e.answerName(p)})
		return out
	}
	if p.ResponseHeaders != nil {
		add("ResponseHeaderModifier", "responseHeaderModifier", headers(p.ResponseHeaders))
	}
	if p.Redirect != nil {
		add("RequestRedirect", "requestRedirect", redirect(p.Redirect))
		return out
	}
	if p.RequestHeaders != nil {
		add("RequestHeaderModifier", "requestHeaderModifier", headers(p.RequestHeaders))
	}
	if r := p.Rewrite; r != nil {
		rewrite := content{}
		put(rewrite, "hostname", string(r.Hostname))
		if r.Path != nil {
			rewrite["path"] = pathChange(&v1alpha1.PathChange{Full: substitution(r.Path.Full), Prefix: r.Path.Prefix})
		}
		add("URLRewrite", "urlRewrite", rewrite)
	}
	if p.Mirror != nil && p.Copy != nil && !p.Copy.Absent {
		mirror := content{"backendRef": e.reference(*p.Copy)}
		if n := percent(p.Mirror.Percent); n < 100 {
			mirror["percent"] = n
		}
		add("RequestMirror", "requestMirror", mirror)
	}
	return out
}

// headers writes the changes of headers. Envoy replaces what stands between
// per cent signs, and nothing in a value is to be replaced.
func headers(h *v1alpha1.HeaderChanges) content {
	out := content{}
	list := func(field string, all []v1alpha1.Header) {
		var values []any
		for _, v := range all {
			values = append(values, content{"name": v.Name, "value": literal(v.Value)})
		}
		putList(out, field, values)
	}
	list("set", h.Set)
	list("add", h.Add)
	putList(out, "remove", texts(h.Remove))
	return out
}

// literal writes a text that Envoy would read as a format.
func literal(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// substitution writes a whole path by which another is replaced: Envoy Gateway
// has Envoy match an expression, of which a backslash would name a group.
func substitution(path string) string { return strings.ReplaceAll(path, `\`, `\\`) }

func redirect(r *v1alpha1.Redirect) content {
	out := content{"statusCode": int64(cmp.Or(r.Status, defaultRedirect))}
	put(out, "scheme", r.Scheme)
	put(out, "hostname", string(r.Hostname))
	put(out, "port", int64(r.Port))
	if r.Path != nil {
		out["path"] = pathChange(r.Path)
	}
	return out
}

// defaultRedirect is the status of a redirect that gives none.
const defaultRedirect = 302

func pathChange(c *v1alpha1.PathChange) content {
	if c.Full != "" {
		return content{"type": "ReplaceFullPath", "replaceFullPath": c.Full}
	}
	return content{"type": "ReplacePrefixMatch", "replacePrefixMatch": c.Prefix}
}

// answerName is the name of the filter by which a rule answers.
func (e *emission) answerName(p piece) string { return e.name + "." + p.name }

// directResponse writes the filter by which a rule answers.
func (e *emission) directResponse(p piece) {
	response := content{"statusCode": int64(p.DirectResponse.Status)}
	if p.DirectResponse.Body != "" {
		response["body"] = content{"type": "Inline", "inline": literal(p.DirectResponse.Body)}
	}
	e.add(e.envoyKind("HTTPRouteFilter", e.answerName(p)), content{"directResponse": response})
}
