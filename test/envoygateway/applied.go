// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envoyTimeout is Envoy's own for a route that does not give one (RouteAction,
// timeout).
const envoyTimeout = "15s"

// applied notes what a route does to requests besides choosing who serves them,
// in the words of a trace.
func (c Configuration) applied(r Route, q Asked, g Ground, out map[string]string) error {
	note(out, "timeout", length(cmp.Or(r.Timeout, envoyTimeout)))
	if t := r.Retry; t != nil {
		on := slices.Sorted(slices.Values(t.On))
		text := fmt.Sprintf("%d on %s", t.Attempts, strings.Join(on, ","))
		if d := length(t.PerTryTimeout); d != "" {
			text += " within " + d
		}
		if len(t.Statuses) > 0 {
			text += fmt.Sprint(" and statuses ", t.Statuses)
		}
		note(out, "retries", text)
	}
	note(out, "rewriteHost", r.HostRewrite)
	if r.PathRewrite != "" {
		note(out, "rewritePath", r.replaced(q.Path, r.PathRewrite, r.PathPattern))
	}
	note(out, "requestHeaders", changed(r.RequestHeaders))
	note(out, "responseHeaders", changed(r.ResponseHeaders))
	for _, m := range r.Mirrors {
		for _, l := range c.Clusters[m.Cluster].Localities {
			for _, e := range l.Endpoints {
				note(out, "mirror", percent(float64(m.PerMillion), million)+" to "+g.Servers[e.Address])
			}
		}
	}
	if len(r.HashPolicies) > 0 {
		by := r.HashPolicies[0]
		note(out, "affinity", map[bool]string{true: "source IP", false: "header " + strings.ToLower(by)}[by == "source"])
	}
	for name, settings := range r.Filters {
		if err := r.filter(name, settings, q, out); err != nil {
			return fmt.Errorf("filter %s: %w", name, err)
		}
	}
	return nil
}

// length writes Envoy's lengths of time as a trace does; none is empty.
func length(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		return ""
	}
	return d.String()
}

func percent(n, of float64) string { return strconv.FormatFloat(100*n/of, 'g', -1, 64) + "%" }

// replaced is a path of which a pattern, or what is matched, is replaced.
func (r Route) replaced(path, by, pattern string) string {
	if pattern == "" {
		return by + strings.TrimPrefix(path, r.Match.Path+r.Match.Prefix+r.Match.ElementPrefix)
	}
	re := regexp.MustCompile(pattern)
	// A backslash with a number is a group, two are one.
	groups := regexp.MustCompile(`\\[0-9\\]`)
	return re.ReplaceAllStringFunc(path, func(part string) string {
		found := re.FindStringSubmatch(part)
		return groups.ReplaceAllStringFunc(by, func(mark string) string {
			n, err := strconv.Atoi(mark[1:])
			switch {
			case err != nil:
				return mark[1:]
			case n < len(found):
				return found[n]
			}
			return "<no group>"
		})
	})
}

// literal is a text that Envoy reads as a format; what is replaced in it shows.
func literal(text string) string {
	parts := strings.Split(text, "%%")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, "%", "<variable>")
	}
	return strings.Join(parts, "%")
}

// changed writes changes of headers as a trace does.
func changed(all []string) string {
	var out []string
	for _, c := range all {
		name, value, given := strings.Cut(c[1:], ": ")
		text := map[byte]string{'+': "add ", '=': "set ", '-': "remove "}[c[0]] + strings.ToLower(name)
		if given {
			text += "=" + literal(value)
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// The settings of HTTP filters that are looked at.
type (
	rawFraction struct {
		Numerator   float64 `json:"numerator"`
		Denominator string  `json:"denominator"`
	}
	rawFault struct {
		Delay *struct {
			FixedDelay string      `json:"fixedDelay"`
			Percentage rawFraction `json:"percentage"`
		} `json:"delay"`
		Abort *struct {
			HTTPStatus int         `json:"httpStatus"`
			GRPCStatus *int        `json:"grpcStatus"`
			Percentage rawFraction `json:"percentage"`
		} `json:"abort"`
	}
	rawCORS struct {
		AllowOrigins     []rawText `json:"allowOriginStringMatch"`
		AllowMethods     string    `json:"allowMethods"`
		AllowHeaders     string    `json:"allowHeaders"`
		ExposeHeaders    string    `json:"exposeHeaders"`
		MaxAge           string    `json:"maxAge"`
		AllowCredentials bool      `json:"allowCredentials"`
	}
	rawLimit struct {
		TokenBucket struct {
			MaxTokens     int    `json:"maxTokens"`
			TokensPerFill int    `json:"tokensPerFill"`
			FillInterval  string `json:"fillInterval"`
		} `json:"tokenBucket"`
		FilterEnforced struct {
			DefaultValue rawFraction `json:"defaultValue"`
		} `json:"filterEnforced"`
	}
	rawSession struct {
		StatefulSession struct {
			SessionState struct {
				TypedConfig struct {
					Cookie struct {
						Name string `json:"name"`
						TTL  string `json:"ttl"`
						Path string `json:"path"`
					} `json:"cookie"`
				} `json:"typedConfig"`
			} `json:"sessionState"`
		} `json:"statefulSession"`
	}
)

func (f rawFraction) text() string {
	return percent(f.Numerator, float64(denominators[f.Denominator]))
}

// filter notes what an HTTP filter does on a route.
func (r Route) filter(name string, settings map[string]any, q Asked, out map[string]string) error {
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	switch name {
	case "envoy.filters.http.fault":
		return noteFault(text, out)
	case "envoy.filters.http.cors":
		return noteCORS(text, out)
	case "envoy.filters.http.local_ratelimit":
		return noteLimit(text, out)
	case "envoy.filters.http.stateful_session":
		return noteSession(text, q, out)
	case rbacFilter:
		return nil // it was asked before
	}
	return fmt.Errorf("nobody knows what %s means", text)
}

func noteFault(text []byte, out map[string]string) error {
	var f rawFault
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	if d := f.Delay; d != nil {
		note(out, "delay", length(d.FixedDelay)+" for "+d.Percentage.text())
	}
	if a := f.Abort; a != nil {
		status := strconv.Itoa(a.HTTPStatus)
		if a.GRPCStatus != nil {
			status = grpcStatuses[*a.GRPCStatus]
		}
		note(out, "abort", status+" for "+a.Percentage.text())
	}
	return nil
}

// grpcStatuses are gRPC's status codes by their number.
var grpcStatuses = strings.Fields("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED " +
	"FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED")

func noteCORS(text []byte, out map[string]string) error {
	var c rawCORS
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	list := func(text string) string {
		words := strings.Split(strings.ReplaceAll(text, " ", ""), ",")
		slices.Sort(words)
		return strings.Join(slices.Compact(words), ",")
	}
	var origins []string
	for _, o := range c.AllowOrigins {
		switch {
		case o.SafeRegex != nil && o.SafeRegex.Regex == ".*":
			origins = append(origins, "*")
		case o.SafeRegex != nil:
			origins = append(origins, "~"+o.SafeRegex.Regex)
		default:
			origins = append(origins, o.Exact)
		}
	}
	age := ""
	if c.MaxAge != "" {
		age = length(c.MaxAge + "s")
	}
	note(out, "cors", fmt.Sprintf("origins %s; methods %s; headers %s; expose %s; credentials %t; age %s", list(strings.Join(origins, ",")),
		list(c.AllowMethods), list(c.AllowHeaders), list(c.ExposeHeaders), c.AllowCredentials, age))
	return nil
}

func noteLimit(text []byte, out map[string]string) error {
	var l rawLimit
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	b := l.TokenBucket
	unit := map[string]string{"1s": "second", "60s": "minute", "3600s": "hour"}[b.FillInterval]
	if unit == "" || b.MaxTokens != b.TokensPerFill || l.FilterEnforced.DefaultValue.text() != "100%" {
		return fmt.Errorf("%s is no plain limit", text)
	}
	note(out, "rateLimit", fmt.Sprintf("%d per %s", b.MaxTokens, unit))
	return nil
}

// noteSession: a cookie that comes with every request of the route, whatever its
// path says exactly.
func noteSession(text []byte, q Asked, out map[string]string) error {
	var s rawSession
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	c := s.StatefulSession.SessionState.TypedConfig.Cookie
	path := c.Path
	// RFC 6265, 5.1.4.
	if q.Path == path || strings.HasPrefix(q.Path, strings.TrimSuffix(path, "/")+"/") {
		path = "/"
	}
	note(out, "affinity", fmt.Sprintf("cookie %s %s %s", c.Name, length(c.TTL), path))
	return nil
}
