// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"istio.io/api/networking/v1alpha3"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// deliver follows requests to an endpoint to the pods that serve them. Nobody
// does where the pods are none whom the caller accepts.
func (c *sidecar) deliver(e envoyCluster, p endpoint, sent *big.Rat) []Share {
	tls := e.policy.GetTls()
	if p.pods != nil {
		return c.accepted(p.at, arrival{e.namespace, e.service, p.at.site.chosen(e.namespace, e.service, subsetOnly(e.selector)), e.port, []inventory.Workload{*p.pods}}, tls, sent)
	}
	site, to, ok := c.arrive(e, p)
	if !ok {
		return nil
	}
	to.kinds = slices.DeleteFunc(to.kinds, func(w inventory.Workload) bool {
		return c.world.ready(pods{site.Cluster, to.namespace, to.service, w.Labels}).Sign() == 0
	})
	var out []Share
	total := zero()
	for _, w := range to.kinds {
		total.Add(total, c.world.ready(pods{site.Cluster, to.namespace, to.service, w.Labels}))
	}
	for _, w := range to.kinds {
		ready := c.world.ready(pods{site.Cluster, to.namespace, to.service, w.Labels})
		one := to
		one.kinds = []inventory.Workload{w}
		out = append(out, c.accepted(c.meshes[site.Cluster], one, tls, times(sent, new(big.Rat).Quo(ready, total)))...)
	}
	return out
}

// chosen are the labels of a subset that say more than the Service's selector.
func (s Site) chosen(namespace, service string, labels map[string]string) map[string]string {
	svc, _ := s.service(namespace, service)
	if hasAll(labels, svc.Selector) {
		for k := range svc.Selector {
			delete(labels, k)
		}
	}
	return labels
}

// arrival is some pods of a Service.
type arrival struct {
	namespace, service string
	labels             map[string]string
	port               int32
	kinds              []inventory.Workload
}

// accepted is what pods of one kind serve, if they are who the caller expects,
// and let it in.
func (c *sidecar) accepted(m *mesh, to arrival, tls *v1alpha3.ClientTLSSettings, sent *big.Rat) []Share {
	w := to.kinds[0]
	out := Share{Cluster: m.site.Cluster, Namespace: to.namespace, Service: to.service, Subset: to.labels, Port: to.port, Part: sent}
	identity := m.site.identity(to.namespace, w)
	clear := tls == nil && !w.Sidecar || tls != nil && tls.Mode == v1alpha3.ClientTLSSettings_DISABLE
	if !clear {
		if tls != nil && (!w.Sidecar || len(tls.SubjectAltNames) > 0 && !slices.Contains(tls.SubjectAltNames, identity)) {
			c.say("the pods of %s show %s, whom the caller does not accept", m.site.Cluster, identity)
			return nil
		}
		out.TLS = TLS{Mutual: true, Identities: []string{identity}}
	}
	v := visit{Request: c.request, namespace: to.namespace, pods: w, port: m.podPort(to), l7: c.request.L7()}
	if path := c.note.Applied[pathApplied]; path != "" {
		v.Path = path // pods see what the caller's sidecar made of it
	}
	if !clear {
		v.principal = c.mesh.site.TrustDomain + "/ns/" + c.request.From.Namespace + "/sa/" + c.request.From.Account
	}
	if w.Sidecar && !c.copies && !m.admits(v) {
		c.say("the pods of %s do not let the caller in", m.site.Cluster)
		c.shut = true
		return nil
	}
	return []Share{out}
}

// podPort is the port of the pods behind a port of their Service.
func (m *mesh) podPort(to arrival) int32 {
	for _, p := range m.own(to.service + "." + to.namespace + ".svc." + localDomain) {
		if p.Port == to.port && p.TargetPort != 0 {
			return p.TargetPort
		}
	}
	return to.port
}

// siteAt finds the cluster whose east-west gateway has an address, or that has
// it as an export address.
func (i *Istio) siteAt(p endpoint) (Site, bool) {
	if site, _, ok := i.tunnelled(p); ok {
		return site, true
	}
	a, err := netip.ParseAddr(p.address)
	if err != nil {
		return Site{}, false
	}
	for _, s := range i.ground.Sites {
		if slices.Contains(s.Gateways, a) && s.GatewayPort == p.port {
			return s, true
		}
	}
	return Site{}, false
}

// passThrough finds the pods that a server name leads to behind the mesh's
// east-west gateway: a Gateway must let its host in, the cluster must have the
// Service, and its DestinationRule the subset. Only pods with a sidecar are there.
func (m *mesh) passThrough(port int64, sni string) (arrival, bool) {
	number, subset, host, ok := serverName(sni)
	n, known := parse(host, "", localDomain)
	if !ok || !known || !m.letsIn(port, host, n.namespace) {
		return arrival{}, false
	}
	out := arrival{namespace: n.namespace, service: n.service, port: number}
	if !slices.ContainsFunc(m.own(host), func(p inventory.Port) bool { return p.Port == number }) {
		return arrival{}, false
	}
	if subset != "" && !m.subsetLabels(host, subset, &out.labels) {
		return arrival{}, false
	}
	for _, w := range m.site.pods(n.namespace, n.service, nil) {
		if w.Sidecar && hasAll(m.site.labels(w), out.labels) {
			out.kinds = append(out.kinds, w)
		}
	}
	out.labels = subsetOnly(out.labels)
	return out, true
}

// subsetOnly leaves out where pods are, and that they have sidecars.
func subsetOnly(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	delete(out, clusterLabel)
	delete(out, networkLabel)
	delete(out, tlsModeLabel)
	return out
}

// subsetLabels finds the labels of a subset.
func (m *mesh) subsetLabels(host, subset string, labels *map[string]string) bool {
	for _, rule := range m.rules {
		if absolute(rule.Spec.Host, rule.Namespace) != host {
			continue
		}
		for _, s := range rule.Spec.Subsets {
			if s.GetName() == subset {
				*labels = s.GetLabels()
				return true
			}
		}
	}
	return false
}

// letsIn tells whether a Gateway opens a port for a host of a namespace.
func (m *mesh) letsIn(port int64, host, namespace string) bool {
	for _, g := range m.gateways {
		if !hasAll(m.site.GatewayLabels, g.Spec.Selector) {
			continue
		}
		for _, s := range g.Spec.Servers {
			if int64(s.GetPort().GetNumber()) != port || s.GetTls().GetMode() != v1alpha3.ServerTLSSettings_AUTO_PASSTHROUGH {
				continue
			}
			for _, h := range s.GetHosts() {
				in, pattern, qualified := strings.Cut(h, "/")
				if !qualified {
					in, pattern = "*", h
				}
				if in == "." {
					in = g.Namespace
				}
				if (in == "*" || in == namespace) && covers(pattern, host) {
					return true
				}
			}
		}
	}
	return false
}

// serverName reads outbound_.<port>_.<subset>_.<host>, the form that istiod
// gives the clusters behind a gateway with AUTO_PASSTHROUGH.
func serverName(sni string) (port int32, subset, host string, ok bool) {
	parts := strings.SplitN(sni, "_.", 4)
	if len(parts) != 4 || parts[0] != "outbound" {
		return 0, "", "", false
	}
	n, err := strconv.ParseUint(parts[1], 10, 16)
	return int32(n), parts[2], parts[3], err == nil
}
