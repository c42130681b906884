// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// edges checks every edge between clusters in what the callers are sent: the
// server name is one that the gateway there knows, and who stands behind it is
// accepted, and nobody else.
func (r *reader) edges() {
	r.t.Helper()
	n := 0
	for _, p := range r.Pods {
		if p.Name == callerName {
			n += r.edgesOf(p)
		}
	}
	if n == 0 {
		r.t.Error("there is no edge between clusters")
	}
}

func (r *reader) edgesOf(caller Pod) (n int) {
	c := r.config(caller)
	routed := c.routed()
	for _, x := range c.Clusters {
		// Nobody calls by a cluster of Envoy's that no route names: the gateway of
		// the caller's cluster passes others on to it.
		if !routed[x.Name] || !r.governed(x.Name) {
			continue
		}
		remote := false
		pods := map[string]bool{}
		for _, l := range c.assignment(x.Name).Endpoints {
			for _, e := range l.Endpoints {
				s := e.Endpoint.Address.Socket
				if r.siteOf(s) != "" {
					remote = true
					n++
				}
				for pod := range r.behind(c, x.Name, s, nil) {
					pods[pod] = true
				}
			}
		}
		if remote {
			r.identities(caller, x, pods)
		}
	}
	return n
}

// governed tells whether a cluster of Envoy's is of a service that has a policy,
// and one that routes name: those of the caller's own Services that nobody names
// are Istio's own business.
func (s Scenario) governed(cluster string) bool {
	return s.asked(cluster, func(v1alpha1.TrafficPolicy) bool { return true })
}

// asked tells whether a cluster of Envoy's that routes name is of a service with
// a policy that says something.
func (s Scenario) asked(cluster string, says func(v1alpha1.TrafficPolicy) bool) bool {
	parts := strings.Split(cluster, "|")
	return len(parts) == 4 && strings.HasPrefix(parts[2], "fl-") && slices.ContainsFunc(s.Policies, func(p v1alpha1.TrafficPolicy) bool {
		return strings.HasPrefix(parts[3], p.Spec.Service.Name+"."+p.Namespace+".svc.") && says(p)
	})
}

// identities compares who is accepted with who is there. In clear text nobody
// shows who it is.
func (r *reader) identities(caller Pod, x Cluster, pods map[string]bool) {
	there := map[string]bool{}
	for at := range pods {
		there[r.identity(at)] = true
	}
	accepted := slices.Compact(slices.Sorted(slices.Values(x.tls("istio").names())))
	want := sortedKeys(there)
	if r.asked(x.Name, func(p v1alpha1.TrafficPolicy) bool {
		return p.Spec.TLS != nil && p.Spec.TLS.Mode == v1alpha1.TLSDisable
	}) {
		want = nil
	}
	if !slices.Equal(accepted, want) {
		r.t.Errorf("%s at %s accepts %v, and behind it stand %v", x.Name, caller, accepted, want)
	}
}

// serverName is what callers of other clusters ask a gateway for: the form that
// Istio gives to all its clusters for AUTO_PASSTHROUGH.
var serverName = regexp.MustCompile(`^outbound_\.(\d+)_\.([a-z0-9.-]*)_\.(.+)$`)

// reachable lists what a gateway passes callers of other clusters on to, as
// host:port. What takes a connection and is no server name of that form, or
// leads to other pods than those of the host, is an error.
func (r *reader) reachable(cluster string, port int) []string {
	config, found := r.gateway(cluster), map[string]bool{}
	for _, l := range config.Listeners {
		if l.Address.Socket.Port != port {
			continue
		}
		if l.Default != nil {
			r.t.Errorf("the gateway of %s takes every connection on port %d", cluster, port)
		}
		for _, chain := range l.Chains {
			if len(chain.Match.ServerNames) == 0 {
				r.t.Errorf("the gateway of %s takes connections without a server name on port %d", cluster, port)
			}
			for _, name := range chain.Match.ServerNames {
				host, problem := r.chain(cluster, config, chain, name)
				if problem != "" {
					r.t.Errorf("the gateway of %s: %s: %s", cluster, name, problem)
				}
				found[host] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// chain reads one chain of a gateway: the host and the port that its server name
// is of, and what is wrong with who stands behind it.
func (r *reader) chain(cluster string, config Config, chain FilterChain, name string) (host, problem string) {
	is := serverName.FindStringSubmatch(name)
	if is == nil {
		return name, "that is no server name of Istio's"
	}
	host = is[3] + ":" + is[1]
	var targets []string
	for _, f := range chain.Filters {
		if f.Config.Cluster != "" || f.Config.WeightedClusters != nil {
			targets = append(targets, f.Config.Cluster)
		}
	}
	if !slices.Equal(targets, []string{fmt.Sprintf("outbound_.%s_.%s_.%s", is[1], is[2], is[3])}) {
		return host, fmt.Sprintf("it leads to %v", targets)
	}
	service, rest, _ := strings.Cut(is[3], ".")
	namespace, _, _ := strings.Cut(rest, ".")
	for at := range r.spread(config, targets[0], nil) {
		p, ok := r.podAt(at.Address)
		if !ok || p.Cluster != cluster || p.service != service || p.Namespace != namespace {
			return host, fmt.Sprintf("%v is none of the pods there", at)
		}
		if number := must(strconv.Atoi(is[1]))(r.t); r.port(p, number) != at.Port {
			return host, fmt.Sprintf("%v is not port %d of %s", at, number, p)
		}
	}
	return host, ""
}

// onlyExports: what callers of other clusters reach at a gateway is what the
// cluster exports, on its ports, and nothing else.
func (r *reader) onlyExports() {
	r.t.Helper()
	for _, cluster := range r.clusters() {
		g := r.mesh(cluster).EastWestGateway
		if g == nil {
			continue
		}
		got, want := r.reachable(cluster, int(g.Port)), r.exported(cluster)
		if !slices.Equal(got, want) {
			r.t.Errorf("the gateway of %s lets callers in to %v, want %v", cluster, got, want)
		}
	}
}

// exported lists the hosts and ports that a cluster exports.
func (s Scenario) exported(cluster string) []string {
	out := map[string]bool{}
	observed, _ := s.Inventory.Find(cluster)
	add := func(namespace, name string) {
		for _, service := range observed.Services {
			for _, p := range service.Ports {
				if service.Namespace == namespace && service.Name.Name == name && p.Transport == "TCP" {
					out[fmt.Sprintf("%s.%s.svc.cluster.local:%d", name, namespace, p.Port)] = true
				}
			}
		}
	}
	for _, b := range s.Result.Bundles {
		for _, o := range b.Objects() {
			if ref := o.Ref(); b.Store == cluster && ref.Kind == "ServiceExport" && !s.clear(ref.Namespace, ref.Name) {
				add(ref.Namespace, ref.Name)
			}
		}
	}
	for _, e := range observed.Exports {
		add(e.Namespace, e.Name)
	}
	return sortedKeys(out)
}

// clear tells whether a service speaks clear text, which no gateway passes on.
func (s Scenario) clear(namespace, service string) bool {
	return slices.ContainsFunc(s.Policies, func(p v1alpha1.TrafficPolicy) bool {
		return p.Namespace == namespace && p.Spec.Service.Name == service && p.Spec.TLS != nil && p.Spec.TLS.Mode == v1alpha1.TLSDisable
	})
}
