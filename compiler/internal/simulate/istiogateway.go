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
		return c.accepted(arrival{p.at, e.namespace, e.service, p.at.site.chosen(e.namespace, e.service, subsetOnly(e.selector)), e.port, *p.pods}, tls, sent)
	}
	all, _ := c.arrive(e, p)
	var out []Share
	total := zero()
	for _, to := range all {
		total.Add(total, c.ready(to))
	}
	for _, to := range all {
		if ready := c.ready(to); ready.Sign() > 0 {
			out = append(out, c.accepted(to, tls, times(sent, ready.Quo(ready, total)))...)
		}
	}
	return out
}

// ready is the ready part of the pods.
func (c *sidecar) ready(to arrival) *big.Rat {
	if c.world.lost(to.at.site.Cluster) {
		return zero()
	}
	return new(big.Rat).Set(c.world.ready(pods{to.at.site.Cluster, to.namespace, to.service, to.pods.Labels}))
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

// arrival is pods of one kind of a Service.
type arrival struct {
	at                 *mesh
	namespace, service string
	labels             map[string]string
	port               int32
	pods               inventory.Workload
}

// accepted is what pods of one kind serve, if they are who the caller expects,
// and let it in.
func (c *sidecar) accepted(to arrival, tls *v1alpha3.ClientTLSSettings, sent *big.Rat) []Share {
	m, w := to.at, to.pods
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
	v := visit{Request: c.request, namespace: to.namespace, pods: w, port: m.podPort(to), l7: c.seesRequests(m, to)}
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
// Service, and its DestinationRule the subset. Only pods with a sidecar are there,
// those of all clusters of its control plane in its network.
func (i *Istio) passThrough(m *mesh, port int64, sni string) ([]arrival, bool) {
	number, subset, host, ok := serverName(sni)
	n, known := parse(host, "", localDomain)
	if !ok || !known || !m.letsIn(port, host, n.namespace) {
		return nil, false
	}
	if !slices.ContainsFunc(m.own(host), func(p inventory.Port) bool { return p.Port == number }) {
		return nil, false
	}
	var labels map[string]string
	if subset != "" && !m.subsetLabels(host, subset, &labels) {
		return nil, false
	}
	var out []arrival
	for _, cluster := range slices.Sorted(maps.Keys(i.meshes)) {
		other := i.meshes[cluster]
		if other.site.ControlPlane != m.site.ControlPlane || other.site.Network != m.site.Network {
			continue
		}
		for _, w := range other.site.pods(n.namespace, n.service, nil) {
			if w.Sidecar && hasAll(other.site.labels(w), labels) {
				out = append(out, arrival{other, n.namespace, n.service, subsetOnly(labels), number, w})
			}
		}
	}
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
