// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// The things that are done to a request besides choosing who serves it.
const (
	timeoutApplied  = "timeout"
	retriesApplied  = "retries"
	hostApplied     = "rewriteHost"
	pathApplied     = "rewritePath"
	requestApplied  = "requestHeaders"
	responseApplied = "responseHeaders"
	mirrorApplied   = "mirror"
	delayApplied    = "delay"
	abortApplied    = "abort"
	corsApplied     = "cors"
	limitApplied    = "rateLimit"
	affinityApplied = "affinity"
	locationApplied = "location"
	bodyApplied     = "body"
)

// Applied is what is done to a request or to its answer, by what it is, each in
// one way of writing.
type Applied map[string]string

// set notes something, unless there is nothing to note.
func (a Applied) set(what, how string) {
	if how != "" {
		a[what] = how
	}
}

// applied is what a rule does to requests.
func (e *evaluation) applied(r fleet.Rule) Applied {
	out := Applied{}
	out.set(timeoutApplied, length(r.Timeout))
	if t := r.Retries; t != nil {
		var on []string
		for _, c := range t.On {
			on = append(on, string(c))
		}
		out.set(retriesApplied, retries(t.Attempts, length(t.PerTryTimeout), on))
	}
	if w := r.Rewrite; w != nil {
		out.set(hostApplied, string(w.Hostname))
		if w.Path != nil {
			out.set(pathApplied, e.changed(*w.Path))
		}
	}
	out.set(requestApplied, headerChanges(r.RequestHeaders))
	out.set(responseApplied, headerChanges(r.ResponseHeaders))
	if f := r.Faults; f != nil && f.Delay != nil {
		out.set(delayApplied, length(f.Delay.Duration)+" for "+cmp.Or(string(f.Delay.Percent), "100%"))
	}
	if f := r.Faults; f != nil && f.Abort != nil {
		status := f.Abort.GRPCStatus
		if status == "" {
			status = strconv.Itoa(int(f.Abort.Status))
		}
		out.set(abortApplied, status+" for "+cmp.Or(string(f.Abort.Percent), "100%"))
	}
	if l := r.RateLimit; l != nil {
		out.set(limitApplied, fmt.Sprintf("%d per %s", l.Requests, l.Per))
	}
	out.set(corsApplied, crossOrigin(r.CORS))
	out.set(affinityApplied, affinity(r.SessionAffinity))
	return out
}

// retries writes them in one way. Conditions that are not given are the two
// that are safe for every request.
func retries(attempts int32, perTry string, on []string) string {
	if len(on) == 0 {
		on = []string{"connect-failure", "refused-stream"}
	}
	out := fmt.Sprintf("%d on %s", attempts, strings.Join(sorted(on), ","))
	if perTry != "" {
		out += " within " + perTry
	}
	return out
}

// changed is the path after a change.
func (e *evaluation) changed(c v1alpha1.PathChange) string {
	if c.Full != "" {
		return c.Full
	}
	prefix := ""
	if m := e.matched.Path; m != nil {
		prefix = m.Prefix
	}
	return replaced(e.request.Path, prefix, c.Prefix)
}

// replaced puts another prefix before the rest of a path, whole element by whole
// element (Gateway API, ReplacePrefixMatch).
func replaced(path, prefix, by string) string {
	rest := strings.TrimPrefix(path, strings.TrimRight(prefix, "/"))
	rest = strings.TrimLeft(rest, "/")
	by = strings.TrimRight(by, "/")
	if rest == "" {
		return cmp.Or(by, "/")
	}
	return by + "/" + rest
}

// headerChanges writes changes in one way: names of headers have no case, and
// their order does not matter.
func headerChanges(h *v1alpha1.HeaderChanges) string {
	if h == nil {
		return ""
	}
	var out []string
	for _, s := range h.Set {
		out = append(out, "set "+strings.ToLower(s.Name)+"="+s.Value)
	}
	for _, a := range h.Add {
		out = append(out, "add "+strings.ToLower(a.Name)+"="+a.Value)
	}
	for _, r := range h.Remove {
		out = append(out, "remove "+strings.ToLower(r))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// crossOrigin writes who may call across origins.
func crossOrigin(c *v1alpha1.CORS) string {
	if c == nil {
		return ""
	}
	var origins, methods []string
	for _, o := range c.AllowOrigins {
		origins = append(origins, stringMatch(o))
	}
	for _, m := range c.AllowMethods {
		methods = append(methods, string(m))
	}
	return fmt.Sprintf("origins %s; methods %s; headers %s; expose %s; credentials %t; age %s", strings.Join(sorted(origins), ","),
		strings.Join(sorted(methods), ","), strings.Join(sorted(c.AllowHeaders), ","), strings.Join(sorted(c.ExposeHeaders), ","), c.AllowCredentials, length(c.MaxAge))
}

// stringMatch writes a comparison in one way.
func stringMatch(m v1alpha1.StringMatch) string {
	switch {
	case m.Regex != "":
		return "~" + m.Regex
	case m.Prefix != "":
		return m.Prefix + "…"
	}
	return m.Exact
}

// affinity writes by what callers are told apart.
func affinity(a *v1alpha1.SessionAffinity) string {
	switch {
	case a == nil:
		return ""
	case a.Cookie != nil:
		return fmt.Sprintf("cookie %s %s %s", a.Cookie.Name, length(a.Cookie.TTL), cmp.Or(a.Cookie.Path, "/"))
	case a.Header != "":
		return "header " + strings.ToLower(a.Header)
	}
	return "source IP"
}

// usualPorts of schemes.
var usualPorts = map[string]int32{"http": 80, "https": 443}

// location is where a redirect sends the caller.
func (e *evaluation) location(r v1alpha1.Redirect) string {
	asked := e.request
	scheme, port := cmp.Or(r.Scheme, asked.Scheme), r.Port
	if port == 0 && r.Scheme != "" {
		port = usualPorts[r.Scheme]
	}
	port = cmp.Or(port, asked.Port)
	path := asked.Path
	if r.Path != nil {
		path = e.changed(*r.Path)
	}
	return place(scheme, cmp.Or(string(r.Hostname), asked.Host), port, path)
}

// place writes a URL without the usual port.
func place(scheme, host string, port int32, path string) string {
	if scheme == "grpc" {
		scheme = "http"
	}
	if port != usualPorts[scheme] {
		host = fmt.Sprintf("%s:%d", host, port)
	}
	return scheme + "://" + host + path
}
