// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usualPorts of schemes.
var usualPorts = map[string]string{"http": "80", "https": "443"}

// applied is what a route does to a request, in the simulator's way of writing
// (compiler.TraceOutcome.Applied).
func (r *reader) applied(route Route, asked *url.URL, copies func(cluster string) string) map[string]string {
	out := map[string]string{}
	set := func(what, how string) {
		if how != "" {
			out[what] = how
		}
	}
	if route.Redirect != nil {
		set("location", route.Redirect.location(asked))
		return out
	}
	if route.DirectResponse != nil {
		set("body", route.DirectResponse.Body.Text)
		return out
	}
	if route.Route == nil {
		return out
	}
	a := route.Route.RouteAction
	set("timeout", span(a.Timeout))
	if p := a.RetryPolicy; p != nil {
		on := strings.Split(p.On, ",")
		slices.Sort(on)
		text := fmt.Sprintf("%d on %s", p.Attempts, strings.Join(on, ","))
		if each := span(p.Each); each != "" {
			text += " within " + each
		}
		set("retries", text)
	}
	set("rewriteHost", a.Host)
	set("rewritePath", a.path(route.Match, asked.Path))
	set("requestHeaders", headerChanges(route.RequestAdd, route.RequestRemove))
	set("responseHeaders", headerChanges(route.ResponseAdd, route.ResponseRemove))
	for _, m := range a.Mirrors {
		set("mirror", m.Fraction.Default.String()+" to "+copies(m.Cluster))
	}
	if f := route.Filters.Fault; f != nil && f.Delay != nil {
		set("delay", span(f.Delay.Fixed)+" for "+f.Delay.Percentage.String())
	}
	if f := route.Filters.Fault; f != nil && f.Abort != nil {
		set("abort", strconv.Itoa(cmp.Or(f.Abort.HTTP, f.Abort.GRPC))+" for "+f.Abort.Percentage.String())
	}
	set("cors", route.Filters.CORS.String())
	set("affinity", a.affinity())
	return out
}

// span writes a length of time as Go does; nothing for none.
func span(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		return ""
	}
	return d.String()
}

// String writes a part of a hundred.
func (p Percent) String() string {
	parts := map[string]float64{"": 1, "HUNDRED": 1, "TEN_THOUSAND": 100, "MILLION": 10000}
	return strconv.FormatFloat(p.Numerator/parts[p.Denominator], 'f', -1, 64) + "%"
}

// path is the path that the pods see; empty where it is not changed.
func (a RouteAction) path(m RouteMatch, path string) string {
	if a.PathRegex != nil {
		// RE2's references, of which Fairlead writes none, are \1; Go's begin with
		// a dollar sign.
		with := strings.ReplaceAll(strings.ReplaceAll(a.PathRegex.Substitution, "$", "$$"), `\\`, `\`)
		return regexp.MustCompile(a.PathRegex.Pattern.Regex).ReplaceAllString(path, with)
	}
	if a.Prefix != "" && m.Prefix != nil {
		return a.Prefix + strings.TrimPrefix(path, *m.Prefix)
	}
	return a.Prefix
}

// headerChanges writes changes in one way. A percent sign that stands for itself
// is written twice for Envoy.
func headerChanges(add []HeaderValue, remove []string) string {
	var out []string
	for _, h := range add {
		how := "add "
		if h.Action == "OVERWRITE_IF_EXISTS_OR_ADD" {
			how = "set "
		}
		out = append(out, how+strings.ToLower(h.Header.Key)+"="+strings.ReplaceAll(h.Header.Value, "%%", "%"))
	}
	for _, name := range remove {
		out = append(out, "remove "+strings.ToLower(name))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// String writes who may call across origins.
func (c *CORS) String() string {
	if c == nil {
		return ""
	}
	var origins []string
	for _, o := range c.Origins {
		switch {
		case o.Regex != nil:
			origins = append(origins, "~"+o.Regex.Regex)
		case o.Prefix != nil:
			origins = append(origins, *o.Prefix+"…")
		default:
			origins = append(origins, *o.Exact)
		}
	}
	sorted := func(list string) string {
		all := strings.Split(list, ",")
		slices.Sort(all)
		return strings.Join(all, ",")
	}
	slices.Sort(origins)
	age := ""
	if c.Age != "" {
		age = span(c.Age + "s")
	}
	return fmt.Sprintf("origins %s; methods %s; headers %s; expose %s; credentials %t; age %s", strings.Join(origins, ","),
		sorted(c.Methods), sorted(c.Headers), sorted(c.Expose), c.Credentials, age)
}

// affinity is by what callers are told apart.
func (a RouteAction) affinity() string {
	for _, h := range a.Hash {
		switch {
		case h.Cookie != nil:
			return fmt.Sprintf("cookie %s %s %s", h.Cookie.Name, span(h.Cookie.TTL), cmp.Or(h.Cookie.Path, "/"))
		case h.Header != nil:
			return "header " + strings.ToLower(h.Header.Name)
		case h.Connection != nil && h.Connection.SourceIP:
			return "source IP"
		}
	}
	return ""
}

// location is where a redirect sends the caller.
func (r Redirect) location(asked *url.URL) string {
	scheme, port := cmp.Or(r.Scheme, asked.Scheme), asked.Port()
	// Envoy drops the usual port of the old scheme where it changes the scheme.
	if r.Scheme != "" && r.Scheme != asked.Scheme && port == usualPorts[asked.Scheme] {
		port = usualPorts[scheme]
	}
	if r.Host != "" {
		port = usualPorts[scheme]
	}
	if r.Port != 0 {
		port = strconv.Itoa(r.Port)
	}
	host := cmp.Or(r.Host, asked.Hostname())
	if port != usualPorts[scheme] {
		host += ":" + port
	}
	return scheme + "://" + host + cmp.Or(r.Path, asked.Path)
}

// redirectCodes are the names that Envoy has for them.
var redirectCodes = map[string]int{"": 301, "FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308}
