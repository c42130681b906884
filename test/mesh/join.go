// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// edges checks every edge between clusters in what a sidecar is sent: the
// server name is one that the gateway there knows, and who stands behind it is
// accepted. Of the clusters that the verdicts use, nobody else is accepted.
func (r *reader) edges(c Config, used []verdict) (n int) {
	routed := map[string]bool{}
	for _, v := range used {
		for _, p := range v.parts {
			routed[p.cluster] = true
		}
	}
	for _, x := range c.Clusters {
		if !r.governed(x.Name) {
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
				if remote || routed[x.Name] {
					for pod := range r.behind(c, x.Name, s, nil) {
						pods[pod] = true
					}
				}
			}
		}
		if remote {
			r.identities(x, pods, routed[x.Name])
		}
	}
	return n
}

// governed tells whether a cluster of Envoy's is of a service that has a policy.
func (s Scenario) governed(cluster string) bool {
	return slices.ContainsFunc(s.Policies, func(p v1alpha1.TrafficPolicy) bool {
		return strings.Contains(cluster, "|"+p.Spec.Service.Name+"."+p.Namespace+".svc.")
	})
}

// clear tells whether a service speaks clear text, which no gateway passes on.
func (s Scenario) clear(namespace, service string) bool {
	return slices.ContainsFunc(s.Policies, func(p v1alpha1.TrafficPolicy) bool {
		return p.Namespace == namespace && p.Spec.Service.Name == service && p.Spec.TLS != nil && p.Spec.TLS.Mode == v1alpha1.TLSDisable
	})
}

// identities compares who is accepted with who is there.
func (r *reader) identities(x Cluster, pods map[string]bool, exactly bool) {
	there := map[string]bool{}
	for _, p := range r.Pods {
		if pods[p.Cluster+"/"+p.Namespace+"/"+p.Name] {
			there[fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", r.mesh(p.Cluster).TrustDomain, p.Namespace, p.Account)] = true
		}
	}
	accepted := x.tls().names()
	for _, id := range sortedKeys(there) {
		if !slices.Contains(accepted, id) {
			r.t.Errorf("%s does not accept %s, which stands behind it (it accepts %v)", x.Name, id, accepted)
		}
	}
	for _, id := range accepted {
		if exactly && !there[id] {
			r.t.Errorf("%s accepts %s, which does not stand behind it", x.Name, id)
		}
	}
}

// reachable lists the hosts that a gateway passes callers of other clusters on
// to.
func (c Config) reachable(port int) []string {
	var out []string
	for _, l := range c.Listeners {
		for _, chain := range l.Chains {
			for _, name := range chain.Match.ServerNames {
				if l.Address.Socket.Port == port {
					// outbound_.<port>_.<subset>_.<host>
					out = append(out, name[strings.LastIndex(name, "_.")+len("_."):])
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// exported lists the hosts that a cluster exports.
func (s Scenario) exported(cluster string) []string {
	var out []string
	for _, b := range s.Result.Bundles {
		for _, o := range b.Objects() {
			if ref := o.Ref(); b.Store == cluster && ref.Kind == "ServiceExport" && !s.clear(ref.Namespace, ref.Name) {
				out = append(out, fmt.Sprintf("%s.%s.svc.cluster.local", ref.Name, ref.Namespace))
			}
		}
	}
	if observed, ok := s.Inventory.Find(cluster); ok {
		for _, e := range observed.Exports {
			out = append(out, fmt.Sprintf("%s.%s.svc.cluster.local", e.Name, e.Namespace))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
