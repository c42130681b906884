// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"istio.io/api/networking/v1alpha3"
)

// act adds to a route what its rule does to requests and answers.
func act(out *v1alpha3.HTTPRoute, r plan.Rule, matched *v1alpha1.PathMatch) {
	out.CorsPolicy = cors(r.CORS)
	out.Headers = headerChanges(nil, r.ResponseHeaders)
	if r.Answers() {
		out.Redirect, out.DirectResponse = redirect(r.Redirect), response(r.DirectResponse)
		return
	}
	out.Headers = headerChanges(r.RequestHeaders, r.ResponseHeaders)
	out.Rewrite = rewrite(r.Rewrite, matched)
	out.Timeout = duration(r.Timeout)
	out.Retries = retries(r.Retries)
	out.Fault = faults(r.Faults)
}

// retries never leaves it to Istio, whose own default sends requests again
// that may have been served.
func retries(r *v1alpha1.Retries) *v1alpha3.HTTPRetry {
	if r == nil {
		return &v1alpha3.HTTPRetry{Attempts: 0}
	}
	on := []string{"connect-failure", "refused-stream"}
	if len(r.On) > 0 {
		on = nil
	}
	for _, condition := range r.On {
		on = append(on, string(condition))
	}
	return &v1alpha3.HTTPRetry{Attempts: r.Attempts, PerTryTimeout: duration(r.PerTryTimeout), RetryOn: strings.Join(on, ",")}
}

// schemePorts are the usual ones.
var schemePorts = map[string]uint32{"http": 80, "https": 443}

// defaultRedirect is the status of a redirect that has none; Istio's own is
// 301, which browsers remember.
const defaultRedirect = 302

func redirect(r *v1alpha1.Redirect) *v1alpha3.HTTPRedirect {
	if r == nil {
		return nil
	}
	out := &v1alpha3.HTTPRedirect{Scheme: r.Scheme, Authority: string(r.Hostname), RedirectCode: uint32(cmp.Or(r.Status, defaultRedirect))}
	if r.Path != nil {
		out.Uri = r.Path.Full
	}
	switch port := cmp.Or(uint32(r.Port), schemePorts[r.Scheme]); {
	case port != 0:
		out.RedirectPort = &v1alpha3.HTTPRedirect_Port{Port: port}
	case r.Hostname != "":
		out.RedirectPort = &v1alpha3.HTTPRedirect_DerivePort{DerivePort: v1alpha3.HTTPRedirect_FROM_REQUEST_PORT}
	}
	return out
}

func response(r *v1alpha1.DirectResponse) *v1alpha3.HTTPDirectResponse {
	if r == nil {
		return nil
	}
	out := &v1alpha3.HTTPDirectResponse{Status: uint32(r.Status)}
	if r.Body != "" {
		out.Body = &v1alpha3.HTTPBody{Specifier: &v1alpha3.HTTPBody_String_{String_: r.Body}}
	}
	return out
}

// rewrite changes the path by regular expressions: Istio's own rewrite of a
// prefix would make /v2x of /api/x.
func rewrite(r *v1alpha1.Rewrite, matched *v1alpha1.PathMatch) *v1alpha3.HTTPRewrite {
	if r == nil {
		return nil
	}
	out := &v1alpha3.HTTPRewrite{Authority: string(r.Hostname)}
	switch {
	case r.Path == nil:
	case r.Path.Full != "":
		out.UriRegexRewrite = &v1alpha3.RegexRewrite{Match: "^.*$", Rewrite: plainRewrite(r.Path.Full)}
	case matched != nil:
		old, replacement := regexp.QuoteMeta(stem(matched.Prefix)), stem(r.Path.Prefix)
		if replacement == "" {
			// What is left begins with a slash of its own, or is nothing.
			out.UriRegexRewrite = &v1alpha3.RegexRewrite{Match: "^" + old + "/?", Rewrite: "/"}
			break
		}
		if old == "" {
			replacement += "/"
			old = "/"
		}
		out.UriRegexRewrite = &v1alpha3.RegexRewrite{Match: "^" + old, Rewrite: plainRewrite(replacement)}
	}
	return out
}

// plainRewrite keeps RE2 from reading references into a text.
func plainRewrite(text string) string { return strings.ReplaceAll(text, `\`, `\\`) }

func headerChanges(request, response *v1alpha1.HeaderChanges) *v1alpha3.Headers {
	if request == nil && response == nil {
		return nil
	}
	return &v1alpha3.Headers{Request: changes(request), Response: changes(response)}
}

func changes(c *v1alpha1.HeaderChanges) *v1alpha3.Headers_HeaderOperations {
	if c == nil {
		return nil
	}
	return &v1alpha3.Headers_HeaderOperations{Set: values(c.Set), Add: values(c.Add), Remove: c.Remove}
}

// values keeps Envoy from reading variables into a value.
func values(all []v1alpha1.Header) map[string]string {
	if len(all) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, h := range all {
		out[h.Name] = strings.ReplaceAll(h.Value, "%", "%%")
	}
	return out
}

func faults(f *v1alpha1.Faults) *v1alpha3.HTTPFaultInjection {
	if f == nil {
		return nil
	}
	out := &v1alpha3.HTTPFaultInjection{}
	if d := f.Delay; d != nil {
		out.Delay = &v1alpha3.HTTPFaultInjection_Delay{Percentage: percent(d.Percent),
			HttpDelayType: &v1alpha3.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: duration(d.Duration)}}
	}
	if a := f.Abort; a != nil {
		out.Abort = &v1alpha3.HTTPFaultInjection_Abort{Percentage: percent(a.Percent)}
		if a.GRPCStatus != "" {
			out.Abort.ErrorType = &v1alpha3.HTTPFaultInjection_Abort_GrpcStatus{GrpcStatus: a.GRPCStatus}
		} else {
			out.Abort.ErrorType = &v1alpha3.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: a.Status}
		}
	}
	return out
}

func cors(c *v1alpha1.CORS) *v1alpha3.CorsPolicy {
	if c == nil {
		return nil
	}
	out := &v1alpha3.CorsPolicy{AllowHeaders: c.AllowHeaders, ExposeHeaders: c.ExposeHeaders, MaxAge: duration(c.MaxAge)}
	for _, o := range c.AllowOrigins {
		switch {
		case o.Regex != "":
			out.AllowOrigins = append(out.AllowOrigins, regex(o.Regex))
		case o.Prefix != "":
			out.AllowOrigins = append(out.AllowOrigins, prefix(o.Prefix))
		default:
			out.AllowOrigins = append(out.AllowOrigins, exact(o.Exact))
		}
	}
	for _, m := range c.AllowMethods {
		out.AllowMethods = append(out.AllowMethods, string(m))
	}
	if c.AllowCredentials {
		out.AllowCredentials = wrapperspb.Bool(true)
	}
	return out
}

// percent of requests; nothing given is all of them.
func percent(p v1alpha1.Percent) *v1alpha3.Percent {
	if p == "" {
		p = "100%"
	}
	n, _ := p.Parse() // what cannot be read was reported where its document was read
	return &v1alpha3.Percent{Value: float64(n)}
}

// duration converts a length of time; nil where none is given. What cannot be
// read was reported where its document was read.
func duration(d v1alpha1.Duration) *durationpb.Duration {
	v, err := d.Parse()
	if err != nil || d == "" {
		return nil
	}
	return durationpb.New(v)
}
