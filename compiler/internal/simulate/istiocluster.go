// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// endpoint is one of an Envoy cluster: pods of one kind, or a gateway.
type endpoint struct {
	labels map[string]string
	weight int64
	// healthy part, as Envoy sees it.
	healthy *big.Rat
	// pods that are reached without a gateway, and where they are; nil for a
	// gateway.
	pods *inventory.Workload
	at   *mesh
	// address and port of a gateway.
	address string
	port    int64
}

// envoyCluster is what a host, a port and a subset become.
type envoyCluster struct {
	destined
	namespace, service string
	selector           map[string]string
	policy             *v1alpha3.TrafficPolicy
}

// cluster returns who serves a part of the requests that is sent to a
// destination.
func (c *sidecar) cluster(d destined, sent *big.Rat) []Share {
	e := envoyCluster{destined: d}
	if n, ok := parse(d.host, "", c.mesh.site.Domain); ok {
		e.namespace, e.service = n.namespace, n.service
	}
	if !c.subset(&e) {
		c.say("no DestinationRule has subset %q of %s: 503", d.subset, d.host)
		return nil
	}
	levels := priorities(c.endpoints(e), e.policy, c.caller())
	var able []*big.Rat
	for _, l := range levels {
		healthy := zero()
		for _, p := range l {
			healthy.Add(healthy, p.healthy)
		}
		able = append(able, availability(healthy.Quo(healthy, part(int64(len(l)), 1))))
	}
	var out []Share
	for i, load := range priorityLoad(able) {
		if load.Sign() > 0 {
			out = append(out, c.spread(e, levels[i], times(sent, load))...)
		}
	}
	return out
}

// subset finds the labels and the policy of the destination.
func (c *sidecar) subset(e *envoyCluster) bool {
	for _, rule := range c.mesh.rules {
		if absolute(rule.Spec.Host, rule.Namespace) != e.host || !visible(rule.Spec.ExportTo, rule.Namespace, c.request.From.Namespace) {
			continue
		}
		e.policy = portPolicy(rule.Spec.TrafficPolicy, e.port)
		if e.subset == "" {
			return true
		}
		for _, s := range rule.Spec.Subsets {
			if s.GetName() == e.subset {
				e.selector, e.policy = s.GetLabels(), merge(rule.Spec.TrafficPolicy, s.GetTrafficPolicy(), e.port)
				return true
			}
		}
		return false
	}
	return e.subset == ""
}

// portPolicy is the policy of one port: what a port has of its own replaces the
// rest whole.
func portPolicy(p *v1alpha3.TrafficPolicy, port int32) *v1alpha3.TrafficPolicy {
	for _, s := range p.GetPortLevelSettings() {
		if int32(s.GetPort().GetNumber()) == port {
			return &v1alpha3.TrafficPolicy{LoadBalancer: s.LoadBalancer, ConnectionPool: s.ConnectionPool, OutlierDetection: s.OutlierDetection, Tls: s.Tls}
		}
	}
	return p
}

// merge lays the policy of a subset over that of its rule, field by field.
func merge(rule, subset *v1alpha3.TrafficPolicy, port int32) *v1alpha3.TrafficPolicy {
	over, under := portPolicy(subset, port), portPolicy(rule, port)
	switch {
	case over == nil:
		return under
	case under == nil:
		return over
	}
	out := &v1alpha3.TrafficPolicy{LoadBalancer: under.LoadBalancer, OutlierDetection: under.OutlierDetection, Tls: under.Tls}
	if over.LoadBalancer != nil {
		out.LoadBalancer = over.LoadBalancer
	}
	if over.OutlierDetection != nil {
		out.OutlierDetection = over.OutlierDetection
	}
	if over.Tls != nil {
		out.Tls = over.Tls
	}
	return out
}

// Labels that istiod itself writes on proxies and endpoints.
const (
	clusterLabel = "topology.istio.io/cluster"
	networkLabel = "topology.istio.io/network"
)

// tlsModeLabel is what the injector writes on pods that it gives a sidecar.
const tlsModeLabel = "security.istio.io/tlsMode"

// placed are labels and where the pod is.
func (s Site) placed(labels map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, labels)
	out[clusterLabel], out[networkLabel] = s.Cluster, s.Network
	return out
}

// labels that istiod sees on pods.
func (s Site) labels(w inventory.Workload) map[string]string {
	out := s.placed(w.Labels)
	if w.Sidecar {
		out[tlsModeLabel] = "istio"
	}
	return out
}

// endpoints are the pods of the Service of that name in every cluster that the
// istiod knows, and what ServiceEntries of the same host and namespace add, as far
// as they have the subset's labels.
func (c *sidecar) endpoints(e envoyCluster) []endpoint {
	var out []endpoint
	portName, governed := c.mesh.portName(e)
	for _, cluster := range slices.Sorted(maps.Keys(c.meshes)) {
		m := c.meshes[cluster]
		if m.site.ControlPlane != c.mesh.site.ControlPlane || m != c.mesh && e.clusterLocal() {
			continue
		}
		if name, ok := m.portName(e); !ok || name != portName {
			continue
		}
		near := c.podsOf(m, e)
		if m == c.mesh || m.site.Network == c.mesh.site.Network {
			out = append(out, near...)
		} else {
			out = append(out, c.behind(m, near)...)
		}
	}
	if !governed {
		portName = ""
	}
	for _, entry := range c.mesh.entriesOf(e.host, c.request.From.Namespace) {
		out = append(out, c.gateways(e, entry, portName)...)
	}
	return c.eject(out, e.policy.GetOutlierDetection())
}

// clusterLocal tells whether an istiod of several clusters gives callers the pods
// of their own cluster alone.
func (e envoyCluster) clusterLocal() bool {
	return e.namespace == "kube-system" || e.namespace == "default" && e.service == "kubernetes"
}

// portName is the name of a port of the cluster's own Service.
func (m *mesh) portName(e envoyCluster) (string, bool) {
	for _, p := range m.own(e.host) {
		if p.Port == e.port {
			return p.Name, true
		}
	}
	return "", false
}

// podsOf are the pods of one cluster.
func (c *sidecar) podsOf(m *mesh, e envoyCluster) []endpoint {
	var out []endpoint
	found := m.site.pods(e.namespace, e.service, nil)
	if m.site.selectsNothing(pods{namespace: e.namespace, service: e.service}) {
		found = []inventory.Workload{{}}
	}
	for _, w := range found {
		labels := m.site.labels(w)
		if !hasAll(labels, e.selector) {
			continue
		}
		ready := c.world.ready(pods{m.site.Cluster, e.namespace, e.service, w.Labels})
		if c.world.lost(m.site.Cluster) {
			ready = zero()
		}
		if c.mesh.leavesOut(e.policy) {
			if ready.Sign() == 0 {
				continue
			}
			ready = one()
		}
		out = append(out, endpoint{labels: labels, weight: c.podWeight(), healthy: ready, pods: &w, at: m})
	}
	return out
}

// behind are the addresses of a gateway that stand for the pods of another
// network; together they count as many as they stand for.
func (c *sidecar) behind(m *mesh, far []endpoint) []endpoint {
	var out []endpoint
	for _, a := range m.site.Gateways {
		if n := int64(len(far)); n > 0 {
			out = append(out, endpoint{labels: m.site.placed(nil), weight: n * c.podWeight() / int64(len(m.site.Gateways)), healthy: one(),
				address: a.String(), port: m.site.GatewayPort})
		}
	}
	return out
}

// podWeight is what one pod counts: as much as can be divided among the addresses
// of each gateway that the istiod knows.
func (c *sidecar) podWeight() int64 {
	out := int64(1)
	for _, m := range c.meshes {
		if n := int64(len(m.site.Gateways)); n > 0 && m.site.ControlPlane == c.mesh.site.ControlPlane && out%n != 0 {
			out *= n
		}
	}
	return out
}

// leavesOut tells whether istiod leaves out endpoints that are not ready: where
// a panic threshold would send requests to them, and before 1.31.
func (m *mesh) leavesOut(p *v1alpha3.TrafficPolicy) bool {
	major, rest, _ := strings.Cut(strings.TrimPrefix(m.site.Istio, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	old := err == nil && major == "1" && n < 31
	return old || p.GetOutlierDetection().GetMinHealthPercent() > 0
}

// gateways are the endpoints that a ServiceEntry adds to a port.
func (c *sidecar) gateways(e envoyCluster, entry *networking.ServiceEntry, ownName string) []endpoint {
	var out []endpoint
	for _, p := range entry.Spec.Ports {
		if int32(p.GetNumber()) != e.port || ownName != "" && p.GetName() != ownName || entry.Spec.Resolution != v1alpha3.ServiceEntry_STATIC {
			continue
		}
		for _, w := range entry.Spec.Endpoints {
			if !hasAll(w.GetLabels(), e.selector) || !c.reaches(w.GetNetwork()) {
				continue
			}
			to := int64(w.GetPorts()[p.GetName()])
			if to == 0 {
				to = int64(p.GetNumber())
			}
			out = append(out, endpoint{labels: w.GetLabels(), weight: max(1, int64(w.GetWeight())), healthy: one(), address: w.GetAddress(), port: to})
		}
	}
	return out
}

// reaches tells whether what a ServiceEntry adds in a network is dialled itself.
// Left out, that is the network of the control plane's cluster. For another one that
// has gateways istiod puts these instead, but only of what is known to take mutual
// TLS, as nothing in a ServiceEntry of ours is.
func (c *sidecar) reaches(network string) bool {
	home := c.mesh.site
	if network == "" && c.meshes[home.ControlPlane] != nil {
		network = c.meshes[home.ControlPlane].site.Network
	}
	return network == home.Network || !slices.ContainsFunc(slices.Collect(maps.Values(c.meshes)), func(m *mesh) bool {
		return m.site.ControlPlane == home.ControlPlane && m.site.Network == network && len(m.site.Gateways) > 0
	})
}

// eject takes out gateways that accept no connections, as many of them as
// outlier detection may.
func (c *sidecar) eject(all []endpoint, o *v1alpha3.OutlierDetection) []endpoint {
	limit := int64(o.GetMaxEjectionPercent())
	if limit == 0 {
		limit = 10 // Envoy's default
	}
	seen := o.GetConsecutive_5XxErrors().GetValue() > 0 || o.GetConsecutiveGatewayErrors().GetValue() > 0
	if o.GetSplitExternalLocalOriginErrors() {
		seen = o.GetConsecutiveLocalOriginFailures().GetValue() > 0
	}
	ejected := int64(0)
	for i, p := range all {
		down := p.pods == nil && c.down(p)
		if o != nil && seen && down && 100*ejected < limit*int64(len(all)) {
			ejected++
			all[i].healthy = zero()
		}
	}
	return all
}

// down tells whether nothing answers at a gateway.
func (c *sidecar) down(p endpoint) bool {
	site, ok := c.siteAt(p)
	return !ok || c.world.lost(site.Cluster)
}

// caller are the labels of the proxy.
func (c *sidecar) caller() map[string]string { return c.mesh.site.placed(c.request.From.Labels) }

// priorities sorts endpoints as istiod does: by how many labels from the front
// of failoverPriority they have in common with the caller. Without outlier
// detection nobody would ever move on, and all are one.
func priorities(all []endpoint, p *v1alpha3.TrafficPolicy, caller map[string]string) [][]endpoint {
	lb := p.GetLoadBalancer().GetLocalityLbSetting()
	labels := lb.GetFailoverPriority()
	if p.GetOutlierDetection() == nil || lb.GetEnabled() != nil && !lb.GetEnabled().GetValue() || len(lb.GetDistribute()) > 0 {
		labels = nil
	}
	byRank := make([][]endpoint, len(labels)+1)
	for _, e := range all {
		rank := 0
		for j, l := range labels {
			key, want, given := strings.Cut(l, "=")
			if !given {
				want = caller[key]
			}
			if e.labels[key] != want {
				rank = len(labels) - j
				break
			}
		}
		byRank[rank] = append(byRank[rank], e)
	}
	return slices.DeleteFunc(byRank, func(level []endpoint) bool { return len(level) == 0 })
}

// spread divides requests among the healthy endpoints of a priority.
func (c *sidecar) spread(e envoyCluster, level []endpoint, sent *big.Rat) []Share {
	total := zero()
	for _, p := range level {
		total.Add(total, times(part(p.weight, 1), p.healthy))
	}
	var out []Share
	for _, p := range level {
		weight := times(part(p.weight, 1), p.healthy)
		if weight.Sign() == 0 {
			continue
		}
		out = append(out, c.deliver(e, p, times(sent, weight.Quo(weight, total)))...)
	}
	return out
}
