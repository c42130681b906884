// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// policies are those of a scenario.
func policies(t testing.TB, files fs.FS) []v1alpha1.TrafficPolicy {
	t.Helper()
	var out []v1alpha1.TrafficPolicy
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			var p v1alpha1.TrafficPolicy
			if err := yaml.Unmarshal([]byte(document), &p); err != nil {
				return err
			}
			if p.Kind == "TrafficPolicy" {
				out = append(out, p)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// requests are those that could tell one rule of a gateway from another, or from
// none: for each match one that meets it, and others that miss it in one thing,
// at each hostname of the gateway and at another.
func requests(all []v1alpha1.TrafficPolicy, gateway string) []Asked {
	hosts, kinds := map[string]map[string]bool{}, map[string][]Asked{}
	for _, p := range all {
		for _, f := range p.Spec.Frontends {
			if f.Gateway == nil || cmp.Or(f.Gateway.Namespace, p.Namespace)+"/"+f.Gateway.Name != gateway {
				continue
			}
			scheme := "http"
			if given := p.Spec.Service.Ports; len(given) > 0 {
				scheme = cmp.Or(string(given[0].Protocol), "tcp")
			}
			if hosts[scheme] == nil {
				hosts[scheme] = map[string]bool{}
			}
			for _, h := range f.Hostnames {
				hosts[scheme][strings.Replace(string(h), "*", "any", 1)] = true
			}
			for _, r := range p.Spec.Rules {
				for _, m := range r.Matches {
					kinds[scheme] = append(kinds[scheme], around(m, scheme)...)
				}
			}
			if len(kinds[scheme]) == 0 || scheme == "http" || scheme == "grpc" {
				kinds[scheme] = append(kinds[scheme], around(v1alpha1.Match{}, scheme)...)
			}
		}
	}
	var out []Asked
	seen := map[string]bool{}
	for _, scheme := range slices.Sorted(maps.Keys(kinds)) {
		names := slices.Sorted(maps.Keys(hosts[scheme]))
		if scheme != "tcp" && scheme != "udp" {
			names = append(names, "nobody.example.net")
		}
		for _, host := range names {
			for _, q := range kinds[scheme] {
				q.Host = host
				if key := fmt.Sprint(q); !seen[key] {
					seen[key] = true
					out = append(out, q)
				}
			}
		}
	}
	return out
}

// around are requests that meet a match, and that just do not.
func around(m v1alpha1.Match, scheme string) []Asked {
	good := Asked{Scheme: scheme, Method: "GET", Path: "/", Headers: map[string]string{}, Query: map[string]string{}}
	if scheme == "grpc" {
		good.Method = "POST"
	}
	var paths []string
	if p := m.Path; p != nil {
		good.Path = cmp.Or(p.Exact, p.Prefix, sample(p.Regex))
		stem := strings.TrimRight(good.Path, "/")
		paths = []string{stem + "/x", "/"}
		if stem != "" {
			paths = append(paths, stem+"x", stem)
		}
	}
	if len(m.Methods) > 0 {
		good.Method = string(m.Methods[0])
	}
	for _, h := range m.Headers {
		good.Headers[strings.ToLower(h.Name)] = cmp.Or(h.Exact, h.Prefix, sample(h.Regex), "any")
	}
	for _, q := range m.Query {
		good.Query[q.Name] = cmp.Or(q.Exact, sample(q.Regex))
	}
	out := []Asked{good}
	for _, path := range paths {
		q := good
		q.Path = path
		out = append(out, q)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if len(m.Methods) > 0 || scheme == "http" {
			q := good
			q.Method = method
			out = append(out, q)
		}
	}
	for name, value := range good.Headers {
		less, other := good, good
		less.Headers, other.Headers = maps.Clone(good.Headers), maps.Clone(good.Headers)
		delete(less.Headers, name)
		other.Headers[name] = value + "x"
		out = append(out, less, other)
	}
	for name, value := range good.Query {
		less, other := good, good
		less.Query, other.Query = maps.Clone(good.Query), maps.Clone(good.Query)
		delete(less.Query, name)
		other.Query[name] = value + "x"
		out = append(out, less, other)
	}
	return out
}

// sample is a text that an expression takes.
func sample(expression string) string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return ""
	}
	return sampleOf(re.Simplify())
}

func sampleOf(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(re.Rune[:1])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpPlus:
		return sampleOf(re.Sub[0])
	case syntax.OpConcat:
		var out strings.Builder
		for _, sub := range re.Sub {
			out.WriteString(sampleOf(sub))
		}
		return out.String()
	}
	return ""
}

// ports of the listeners of Gateways in tests.
var ports = map[string]int{"http": 80, "grpc": 80, "tls": 443, "tcp": 6379, "udp": 53}

// traced asks the simulator what a request at a gateway gets by the objects that
// were compiled for it.
func (p *place) traced(t testing.TB, gateway string, q Asked, w world) Reply {
	t.Helper()
	query := url.Values{}
	for name, value := range q.Query {
		query.Set(name, value)
	}
	to := url.URL{Scheme: q.Scheme, Host: fmt.Sprintf("%s:%d", q.Host, ports[q.Scheme]), Path: q.Path, RawQuery: query.Encode()}
	request := compiler.TraceRequest{Gateway: p.store + "/" + gateway, Method: q.Method, URL: to.String(), Headers: q.Headers, Lost: w.lost, Healthy: map[string]string{}}
	facts, _ := p.inv.Find(p.store)
	for _, svc := range facts.Services {
		request.Healthy[p.store+"/"+svc.Namespace+"/"+svc.Name.Name] = fmt.Sprintf("%d%%", 100*w.ready/replicas)
	}
	answer, diags := p.tracer.Trace(request)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	outcome := answer.TraceOutcome
	for _, r := range answer.Results {
		if r.Provider == "envoy-gateway" {
			outcome = r.TraceOutcome
		}
	}
	return said(outcome, q)
}

// said is an outcome as a Reply.
func said(o compiler.TraceOutcome, q Asked) Reply {
	out := Reply{Verdict: string(o.Verdict), Status: int(o.Status), Applied: o.Applied}
	for _, s := range o.Shares {
		if out.Shares == nil {
			out.Shares = map[string]float64{}
		}
		part, _ := s.Part.Rat().Float64()
		out.Shares[serverName(s)] += part
	}
	if o.Unserved != nil {
		out.Unserved, _ = o.Unserved.Rat().Float64()
	}
	if out.Verdict == "directResponse" && out.Status == 503 && len(out.Applied) == 0 {
		return unreachable(q)
	}
	return out
}
