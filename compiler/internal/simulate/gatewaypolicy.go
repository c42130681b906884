// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// What is read of Envoy Gateway's own policies.
type (
	trafficPolicy struct {
		Metadata objectMeta `json:"metadata"`
		Spec     struct {
			TargetRefs []targetRef `json:"targetRefs"`
			Retry      *struct {
				NumRetries int32 `json:"numRetries"`
				RetryOn    struct {
					Triggers []string `json:"triggers"`
				} `json:"retryOn"`
				PerRetry struct {
					Timeout string `json:"timeout"`
				} `json:"perRetry"`
			} `json:"retry"`
			FaultInjection struct {
				Delay *struct {
					FixedDelay string `json:"fixedDelay"`
					Percentage *int64 `json:"percentage"`
				} `json:"delay"`
				Abort *struct {
					HTTPStatus int32  `json:"httpStatus"`
					GRPCStatus *int64 `json:"grpcStatus"`
					Percentage *int64 `json:"percentage"`
				} `json:"abort"`
			} `json:"faultInjection"`
			RateLimit *struct {
				Local struct {
					Rules []struct {
						Limit struct {
							Requests int64  `json:"requests"`
							Unit     string `json:"unit"`
						} `json:"limit"`
					} `json:"rules"`
				} `json:"local"`
			} `json:"rateLimit"`
			LoadBalancer struct {
				ConsistentHash *struct {
					Type    string      `json:"type"`
					Headers []nameValue `json:"headers"`
				} `json:"consistentHash"`
			} `json:"loadBalancer"`
			HealthCheck struct {
				Passive *struct{} `json:"passive"`
			} `json:"healthCheck"`
			Timeout struct {
				HTTP struct {
					RequestTimeout string `json:"requestTimeout"`
				} `json:"http"`
			} `json:"timeout"`
		} `json:"spec"`
	}
	securityPolicy struct {
		Metadata objectMeta `json:"metadata"`
		Spec     struct {
			TargetRefs []targetRef `json:"targetRefs"`
			CORS       *struct {
				AllowOrigins     []string `json:"allowOrigins"`
				AllowMethods     []string `json:"allowMethods"`
				AllowHeaders     []string `json:"allowHeaders"`
				ExposeHeaders    []string `json:"exposeHeaders"`
				AllowCredentials bool     `json:"allowCredentials"`
				MaxAge           string   `json:"maxAge"`
			} `json:"cors"`
			Authorization *struct {
				DefaultAction string `json:"defaultAction"`
				Rules         []struct {
					Action    string `json:"action"`
					Operation struct {
						Methods []string   `json:"methods"`
						Path    typedValue `json:"path"`
					} `json:"operation"`
				} `json:"rules"`
			} `json:"authorization"`
		} `json:"spec"`
	}
)

// about tells how closely a policy is about a rule: not at all, about its route,
// or about it alone.
func about(refs []targetRef, namespace string, c candidateRule) int {
	best := 0
	for _, r := range refs {
		if namespace != c.route.Metadata.Namespace || r.Kind != c.route.Kind || r.Name != c.route.Metadata.Name {
			continue
		}
		if r.SectionName == "" {
			best = max(best, 1)
		} else if r.SectionName == c.rule.Name {
			best = 2
		}
	}
	return best
}

// closest finds the policy that is most closely about a rule; its zero value
// where none is.
func closest[P interface{ about(candidateRule) int }](all []P, c candidateRule) P {
	var out P
	best := 0
	for _, p := range all {
		if n := p.about(c); n > best {
			out, best = p, n
		}
	}
	return out
}

func (p trafficPolicy) about(c candidateRule) int {
	return about(p.Spec.TargetRefs, p.Metadata.Namespace, c)
}

func (p securityPolicy) about(c candidateRule) int {
	return about(p.Spec.TargetRefs, p.Metadata.Namespace, c)
}

// allowed tells whether the request is let in at the gateway.
func (p *passage) allowed(c candidateRule) bool {
	a := closest(p.store.security, c).Spec.Authorization
	if a == nil {
		return true
	}
	for _, r := range a.Rules {
		path := r.Operation.Path
		takes := (len(r.Operation.Methods) == 0 || slices.Contains(r.Operation.Methods, p.request.Method)) &&
			(path.Type == "" || routeMatch{Path: path}.takes("HTTPRoute", p.request))
		if takes {
			return r.Action == "Allow"
		}
	}
	return a.DefaultAction == "Allow"
}

// answersItself tells whether the rule sends the request nowhere.
func (p *passage) answersItself(c candidateRule) bool {
	for _, f := range c.rule.Filters {
		switch {
		case f.RequestRedirect != nil:
			p.note.Verdict, p.note.Status = Redirected, cmp.Or(f.RequestRedirect.StatusCode, 302)
			p.note.Applied = Applied{locationApplied: p.location(c, f)}
			return true
		case f.ExtensionRef != nil:
			d := p.store.filters[c.route.Metadata.Namespace+"/"+f.ExtensionRef.Name].Spec.DirectResponse
			if d != nil {
				p.note.Verdict, p.note.Status, p.note.Applied = Responded, d.StatusCode, Applied{}
				p.note.Applied.set(bodyApplied, substituted(d.Body.Inline))
				return true
			}
		}
	}
	return false
}

// location is where a redirect sends the caller (Gateway API,
// HTTPRequestRedirectFilter): without a port it is the usual one of a scheme that
// is given, otherwise that of the listener.
func (p *passage) location(c candidateRule, f filter) string {
	r, asked := f.RequestRedirect, p.request
	scheme, port := cmp.Or(r.Scheme, asked.Scheme), r.Port
	if port == 0 && r.Scheme != "" {
		port = usualPorts[r.Scheme]
	}
	path := asked.Path
	if r.Path != nil {
		path = p.path(c, *r.Path)
	}
	return place(scheme, cmp.Or(r.Hostname, asked.Host), cmp.Or(port, asked.Port), path)
}

func (p *passage) path(c candidateRule, f pathFilter) string {
	if f.Type == "ReplaceFullPath" {
		return f.ReplaceFullPath
	}
	return replaced(p.request.Path, c.match.Path.Value, f.ReplacePrefixMatch)
}

// envoyTimeout is Envoy's own where nothing is said; zero is none (Envoy,
// RouteAction, timeout).
const envoyTimeout = "15s"

// applied is what a rule and the policies about it do to requests.
func (p *passage) applied(c candidateRule) Applied {
	out, t := Applied{}, closest(p.store.traffic, c).Spec
	if d := length(v1alpha1.Duration(cmp.Or(c.rule.Timeouts.Request, t.Timeout.HTTP.RequestTimeout, envoyTimeout))); d != "0s" {
		out.set(timeoutApplied, d)
	}
	if r := t.Retry; r != nil {
		out.set(retriesApplied, retries(r.NumRetries, length(v1alpha1.Duration(r.PerRetry.Timeout)), r.RetryOn.Triggers))
	}
	for _, f := range c.rule.Filters {
		p.filter(out, c, f)
	}
	if d := t.FaultInjection.Delay; d != nil {
		out.set(delayApplied, length(v1alpha1.Duration(d.FixedDelay))+" for "+percentOf(d.Percentage))
	}
	if a := t.FaultInjection.Abort; a != nil {
		status := strconv.Itoa(int(a.HTTPStatus))
		if a.GRPCStatus != nil {
			status = grpcNames[*a.GRPCStatus]
		}
		out.set(abortApplied, status+" for "+percentOf(a.Percentage))
	}
	if l := t.RateLimit; l != nil && len(l.Local.Rules) > 0 {
		out.set(limitApplied, fmt.Sprintf("%d per %s", l.Local.Rules[0].Limit.Requests, strings.ToLower(l.Local.Rules[0].Limit.Unit)))
	}
	if o := closest(p.store.security, c).Spec.CORS; o != nil {
		out.set(corsApplied, fmt.Sprintf("origins %s; methods %s; headers %s; expose %s; credentials %t; age %s", strings.Join(sorted(o.AllowOrigins), ","),
			strings.Join(sorted(o.AllowMethods), ","), strings.Join(sorted(o.AllowHeaders), ","), strings.Join(sorted(o.ExposeHeaders), ","), o.AllowCredentials, length(v1alpha1.Duration(o.MaxAge))))
	}
	switch h := t.LoadBalancer.ConsistentHash; {
	case c.rule.SessionPersistence != nil:
		out.set(affinityApplied, fmt.Sprintf("cookie %s %s /", c.rule.SessionPersistence.SessionName, length(v1alpha1.Duration(c.rule.SessionPersistence.AbsoluteTimeout))))
	case h != nil && len(h.Headers) > 0:
		out.set(affinityApplied, "header "+strings.ToLower(h.Headers[0].Name))
	case h != nil:
		out.set(affinityApplied, "source IP")
	}
	return out
}

// filter notes what one filter does.
func (p *passage) filter(out Applied, c candidateRule, f filter) {
	switch {
	case f.RequestHeaderModifier != nil:
		out.set(requestApplied, headerChanges(f.RequestHeaderModifier.plain()))
	case f.ResponseHeaderModifier != nil:
		out.set(responseApplied, headerChanges(f.ResponseHeaderModifier.plain()))
	case f.URLRewrite != nil:
		out.set(hostApplied, f.URLRewrite.Hostname)
		if f.URLRewrite.Path != nil {
			out.set(pathApplied, rewritten(*f.URLRewrite.Path, p.path(c, *f.URLRewrite.Path)))
		}
	case f.RequestMirror != nil:
		fine := *p
		fine.world = World{}
		l, _ := fine.locality(c, f.RequestMirror.BackendRef)
		for _, h := range l.hosts {
			out.set(mirrorApplied, percentOf(f.RequestMirror.Percent)+" to "+h.share.key())
		}
	}
}

// rewritten is a path after a rewrite. Envoy Gateway 1.9 replaces whole ones by
// an expression (internal/xds/translator/route.go), in which two backslashes are
// one, and one names a group.
func rewritten(f pathFilter, path string) string {
	if f.Type != "ReplaceFullPath" {
		return path
	}
	parts := strings.Split(path, `\\`)
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(p, `\`, "<group>")
	}
	return strings.Join(parts, `\`)
}

// plain is a filter in the policy's own words.
func (h headerFilter) plain() *v1alpha1.HeaderChanges {
	list := func(all []nameValue) []v1alpha1.Header {
		var out []v1alpha1.Header
		for _, v := range all {
			out = append(out, v1alpha1.Header{Name: v.Name, Value: substituted(v.Value)})
		}
		return out
	}
	return &v1alpha1.HeaderChanges{Set: list(h.Set), Add: list(h.Add), Remove: h.Remove}
}

func percentOf(n *int64) string {
	if n == nil {
		return "100%"
	}
	return fmt.Sprintf("%d%%", *n)
}

// grpcNames are the status codes of gRPC.
var grpcNames = map[int64]string{1: "CANCELLED", 2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 6: "ALREADY_EXISTS",
	7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION", 10: "ABORTED", 11: "OUT_OF_RANGE", 12: "UNIMPLEMENTED", 13: "INTERNAL",
	14: "UNAVAILABLE", 15: "DATA_LOSS", 16: "UNAUTHENTICATED"}
