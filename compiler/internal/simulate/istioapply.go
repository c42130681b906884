// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"
	"istio.io/api/networking/v1alpha3"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// take notes what a route does to requests, and returns where they are sent.
func (c *sidecar) take(namespace string, h *v1alpha3.HTTPRoute) []destined {
	if r := h.GetRedirect(); r != nil {
		c.note.Verdict, c.note.Status = Redirected, int32(cmp.Or(r.GetRedirectCode(), 301))
		c.note.Applied = Applied{locationApplied: c.location(r)}
		return nil
	}
	if d := h.GetDirectResponse(); d != nil {
		c.note.Verdict, c.note.Status = Responded, int32(d.GetStatus())
		c.note.Applied = Applied{}
		c.note.Applied.set(bodyApplied, d.GetBody().GetString_())
		return nil
	}
	c.note.Applied = c.applied(namespace, h)
	var out []destined
	for _, d := range h.Route {
		out = append(out, c.target(namespace, d.GetDestination(), d.GetWeight(), len(h.Route)))
	}
	for _, d := range out {
		if how := c.stickiness(d); how != "" {
			c.note.Applied.set(affinityApplied, how)
		}
	}
	return out
}

// defaultRetries is what istiod does where a route says nothing of retries.
const defaultRetries = "2 on istiod's own conditions"

// applied is what a route does to requests.
func (c *sidecar) applied(namespace string, h *v1alpha3.HTTPRoute) Applied {
	out := Applied{}
	out.set(timeoutApplied, span(h.GetTimeout()))
	if h.GetRetries() == nil {
		out.set(retriesApplied, defaultRetries)
	}
	if r := h.GetRetries(); r.GetAttempts() > 0 {
		out.set(retriesApplied, retries(r.GetAttempts(), span(r.GetPerTryTimeout()), strings.Split(r.GetRetryOn(), ",")))
	}
	if w := h.GetRewrite(); w != nil {
		out.set(hostApplied, w.GetAuthority())
		out.set(pathApplied, c.rewritten(w))
	}
	out.set(requestApplied, operations(h.GetHeaders().GetRequest()))
	out.set(responseApplied, operations(h.GetHeaders().GetResponse()))
	if d := h.GetFault().GetDelay(); d != nil {
		out.set(delayApplied, span(d.GetFixedDelay())+" for "+percentage(d.GetPercentage()))
	}
	if a := h.GetFault().GetAbort(); a != nil {
		status := a.GetGrpcStatus()
		if status == "" {
			status = strconv.Itoa(int(a.GetHttpStatus()))
		}
		out.set(abortApplied, status+" for "+percentage(a.GetPercentage()))
	}
	if m := h.GetMirror(); m != nil {
		out.set(mirrorApplied, percentage(h.GetMirrorPercentage())+" to "+c.copied(namespace, m))
	}
	out.set(corsApplied, corsPolicy(h.GetCorsPolicy()))
	return out
}

// span writes a length of time; empty where none is given.
func span(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	return d.AsDuration().String()
}

// percentage writes a part of the requests; all where none is given.
func percentage(p *v1alpha3.Percent) string {
	if p == nil {
		return "100%"
	}
	return strconv.FormatFloat(p.GetValue(), 'f', -1, 64) + "%"
}

// copied is who gets copies while everything is well, let in or not.
func (c *sidecar) copied(namespace string, to *v1alpha3.Destination) string {
	fine := *c
	fine.world, fine.copies = World{}, true
	var out []string
	for _, s := range (Answer{}).serve(fine.cluster(fine.target(namespace, to, 1, 1), one())).Shares {
		out = append(out, s.key())
	}
	return strings.Join(out, ",")
}

// operations writes changes of headers in one way.
func operations(h *v1alpha3.Headers_HeaderOperations) string {
	var out []string
	for name, value := range h.GetSet() {
		out = append(out, "set "+strings.ToLower(name)+"="+substituted(value))
	}
	for name, value := range h.GetAdd() {
		out = append(out, "add "+strings.ToLower(name)+"="+substituted(value))
	}
	for _, name := range h.GetRemove() {
		out = append(out, "remove "+strings.ToLower(name))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// substituted is a value as Envoy sends it: %% stands for %, and anything else
// between two of them for something that is known only then.
func substituted(value string) string {
	parts := strings.Split(value, "%%")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, "%", "<variable>")
	}
	return strings.Join(parts, "%")
}

func corsPolicy(p *v1alpha3.CorsPolicy) string {
	if p == nil {
		return ""
	}
	var origins []string
	for _, o := range p.GetAllowOrigins() {
		origins = append(origins, stringMatch(v1alpha1.StringMatch{Exact: o.GetExact(), Prefix: o.GetPrefix(), Regex: o.GetRegex()}))
	}
	return fmt.Sprintf("origins %s; methods %s; headers %s; expose %s; credentials %t; age %s", strings.Join(sorted(origins), ","),
		strings.Join(sorted(p.GetAllowMethods()), ","), strings.Join(sorted(p.GetAllowHeaders()), ","), strings.Join(sorted(p.GetExposeHeaders()), ","),
		p.GetAllowCredentials().GetValue(), span(p.GetMaxAge()))
}

// stickiness is by what the load balancer of a destination tells callers apart.
func (c *sidecar) stickiness(d destined) string {
	e := envoyCluster{destined: d}
	if !c.subset(&e) {
		return ""
	}
	h := e.policy.GetLoadBalancer().GetConsistentHash()
	switch {
	case h.GetHttpCookie() != nil:
		k := h.GetHttpCookie()
		ttl := span(k.GetTtl())
		if ttl == "0s" {
			ttl = ""
		}
		return fmt.Sprintf("cookie %s %s %s", k.GetName(), ttl, cmp.Or(k.GetPath(), "/"))
	case h.GetHttpHeaderName() != "":
		return "header " + strings.ToLower(h.GetHttpHeaderName())
	case h.GetUseSourceIp():
		return "source IP"
	}
	return ""
}

// rewritten is the path that the backend sees. Envoy replaces what the match
// took: the whole of an exact or a regular one, the prefix of any other.
func (c *sidecar) rewritten(w *v1alpha3.HTTPRewrite) string {
	path := c.request.Path
	if r := w.GetUriRegexRewrite(); r != nil {
		e, err := regexp.Compile(r.GetMatch())
		if err != nil {
			return path
		}
		return e.ReplaceAllString(path, template(r.GetRewrite()))
	}
	if w.GetUri() == "" {
		return ""
	}
	if m, ok := c.taken.GetUri().GetMatchType().(*v1alpha3.StringMatch_Prefix); ok {
		return w.GetUri() + strings.TrimPrefix(path, m.Prefix)
	}
	if c.taken.GetUri() == nil {
		return w.GetUri() + strings.TrimPrefix(path, "/")
	}
	return w.GetUri()
}

// template turns RE2's form of a replacement, \1 and \\, into Go's.
func template(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '$':
			out.WriteString("$$")
		case text[i] == '\\' && i+1 < len(text):
			i++
			if text[i] >= '0' && text[i] <= '9' {
				out.WriteString("${" + text[i:i+1] + "}")
			} else {
				out.WriteByte(text[i])
			}
		default:
			out.WriteByte(text[i])
		}
	}
	return out.String()
}

// location is where a redirect sends the caller.
func (c *sidecar) location(r *v1alpha3.HTTPRedirect) string {
	asked := c.request
	scheme := cmp.Or(r.GetScheme(), asked.Scheme)
	host, port := cmp.Or(r.GetAuthority(), asked.Host), asked.Port
	switch {
	case r.GetPort() != 0:
		port = int32(r.GetPort())
	case r.GetAuthority() != "" && r.GetDerivePort() != v1alpha3.HTTPRedirect_FROM_REQUEST_PORT,
		r.GetScheme() != "" && r.GetScheme() != asked.Scheme && asked.Port == usualPorts[asked.Scheme]:
		port = usualPorts[scheme]
	}
	if name, given, ok := strings.Cut(host, ":"); ok {
		if n, err := strconv.ParseInt(given, 10, 32); err == nil {
			host, port = name, int32(n)
		}
	}
	return place(scheme, host, port, cmp.Or(r.GetUri(), asked.Path))
}
