// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// call is a request of a caller.
type call struct {
	// from is cluster/namespace for the pod that is made for calling,
	// cluster/namespace/service for one of that Service's, or
	// cluster/namespace/gateway where it comes in from outside.
	from    string
	outside bool
	Request
}

// String is what it looks like in a story.
func (c call) String() string {
	from := c.from
	if c.outside {
		from = outsidePrefix + from
	}
	out := []string{from, c.method(), c.URL}
	for _, name := range sortedKeys(c.Headers) {
		out = append(out, name+"="+c.Headers[name])
	}
	return strings.Join(out, " ")
}

// outsidePrefix begins calls that come in from outside.
const outsidePrefix = "outside:"

// parseCalls reads calls, one a line: from, method, URL, and headers as
// name=value. Lines that begin with # are for people.
func parseCalls(t testing.TB, text []byte) []call {
	t.Helper()
	var out []call
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) < 3 {
			t.Fatalf("a call needs a caller, a method and a URL: %s", line)
		}
		from, outside := strings.CutPrefix(fields[0], outsidePrefix)
		c := call{from: from, outside: outside, Request: Request{Method: fields[1], URL: fields[2], Headers: map[string]string{}}}
		for _, h := range fields[3:] {
			name, value, _ := strings.Cut(h, "=")
			c.Headers[name] = value
		}
		out = append(out, c)
	}
	return out
}

// place is where a call comes from. The name is that of a service account, of a
// Service, or of a gateway.
func (c call) place() (cluster, namespace, name string) {
	parts := append(strings.Split(c.from, "/"), callerName)
	return parts[0], parts[1], parts[2]
}

// caller is the pod that calls.
func (w *World) caller(t testing.TB, c call) Pod {
	t.Helper()
	cluster, namespace, name := c.place()
	if name != callerName && !c.outside {
		name += "-0-0"
	}
	return w.pod(t, cluster, namespace, name)
}

// address is where a call goes to: the address of the Service, or of its name in
// the set.
func (w *World) address(t testing.TB, c call, host string) string {
	t.Helper()
	cluster, namespace, _ := c.place()
	name, rest, _ := strings.Cut(host, ".")
	if given, _, _ := strings.Cut(rest, "."); given != "" {
		namespace = given
	}
	if strings.Contains(rest, ".svc.") && !strings.HasSuffix(rest, ".svc.cluster.local") {
		for _, a := range w.Result.Allocations {
			if a.Pool == inventory.PoolClusterSet && a.Key == namespace+"/"+name {
				return a.Value
			}
		}
	}
	return must(w.client(t, cluster).CoreV1().Services(namespace).Get(context.Background(), name, metav1.GetOptions{}))(t).Spec.ClusterIP
}

// answer is what the proxy of the caller does with a call.
func (w *World) answer(t testing.TB, c Config, from call) (verdict, error) {
	t.Helper()
	u := must(url.Parse(from.URL))(t)
	port := must(strconv.Atoi(cmp.Or(u.Port(), "80")))(t)
	switch {
	case u.Scheme != "tcp" && from.outside:
		return c.route("http."+strconv.Itoa(port), from.Request)
	case u.Scheme != "tcp":
		_, namespace, _ := from.place()
		if v, ok := c.sniffed(fmt.Sprintf("%s.%s.svc.cluster.local:%d", u.Hostname(), namespace, port), from.Request); ok {
			return v, nil
		}
		return c.route(u.Port(), from.Request)
	case from.outside:
		return c.connection("0.0.0.0", port)
	}
	return c.connection(w.address(t, from, u.Hostname()), port)
}

// probes are calls that follow from the policies alone: from each cluster, under
// both names, one for each rule's first match, and one that may match none.
func (s Scenario) probes() []call {
	var out []call
	for _, cluster := range s.clusters() {
		observed, _ := s.Inventory.Find(cluster)
		for _, p := range s.Policies {
			if !slices.Contains(observed.Namespaces, p.Namespace) || !slices.Contains([]string{"", s.set(cluster).Name}, p.Spec.ClusterSet) {
				continue
			}
			from := cluster + "/" + p.Namespace
			for _, host := range []string{p.Spec.Service.Name, fmt.Sprintf("%s.%s.svc.%s", p.Spec.Service.Name, p.Namespace, cmp.Or(s.set(cluster).Spec.Domain, v1alpha1.DefaultDomain))} {
				for _, port := range p.Spec.Service.Ports {
					for _, r := range asks(p, port.Protocol, fmt.Sprintf("%s:%d", host, port.Port)) {
						out = append(out, call{from: from, Request: r})
					}
				}
			}
		}
	}
	return out
}

// asks are the requests of probes to one port.
func asks(p v1alpha1.TrafficPolicy, protocol v1alpha1.Protocol, host string) []Request {
	scheme := map[v1alpha1.Protocol]string{v1alpha1.ProtocolHTTP: "http", v1alpha1.ProtocolGRPC: "grpc", "": "tcp", v1alpha1.ProtocolTCP: "tcp"}[protocol]
	switch scheme {
	case "":
		return nil
	case "tcp":
		return []Request{{URL: "tcp://" + host}}
	}
	out := []Request{{URL: scheme + "://" + host + "/fairlead-probe"}}
	for _, rule := range p.Spec.Rules {
		if len(rule.Matches) == 0 {
			continue
		}
		m, r, path := rule.Matches[0], Request{Headers: map[string]string{}}, "/"
		if m.Path != nil && m.Path.Regex == "" {
			path = cmp.Or(m.Path.Exact, strings.TrimRight(m.Path.Prefix, "/")+"/x")
		}
		for _, h := range m.Headers {
			r.Headers[h.Name] = cmp.Or(h.Exact, h.Prefix+"x")
		}
		if len(m.Methods) > 0 {
			r.Method = string(m.Methods[0])
		}
		r.URL = scheme + "://" + host + path
		out = append(out, r)
	}
	return out
}

// set is the one that a cluster is in.
func (s Scenario) set(cluster string) v1alpha1.ClusterSet {
	for _, set := range s.Sets {
		if slices.ContainsFunc(set.Spec.Clusters, func(c v1alpha1.Cluster) bool { return c.Name == cluster }) {
			return set
		}
	}
	return v1alpha1.ClusterSet{}
}
