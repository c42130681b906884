// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
)

// tunnelled finds the pods that an export address stands for, in a mesh that
// tunnels join to the caller's: all of its Service, which take the connection as
// one from next door.
func (i *Istio) tunnelled(p endpoint) (Site, []arrival, bool) {
	for _, m := range i.meshes {
		for _, r := range m.exports {
			if !slices.Contains(r.Spec.Export.Addresses, v1alpha1.Address(p.address)) ||
				!slices.ContainsFunc(r.Spec.Ports, func(q v1alpha1.RoutePort) bool { return int64(q.Port) == p.port }) {
				continue
			}
			var to []arrival
			for _, w := range m.site.pods(r.Namespace, r.Spec.Service, nil) {
				to = append(to, arrival{m, r.Namespace, r.Spec.Service, nil, int32(p.port), w})
			}
			return m.site, to, true
		}
	}
	return Site{}, nil, false
}

// arrive finds the pods that an endpoint in another cluster stands for. Left
// alone, istiod asks a gateway for the server name of the Envoy cluster itself.
func (c *sidecar) arrive(e envoyCluster, p endpoint) ([]arrival, bool) {
	tls := e.policy.GetTls()
	site, ok := c.siteAt(p)
	if !ok || c.world.lost(site.Cluster) {
		c.say("nobody answers at %s:%d", p.address, p.port)
		return nil, false
	}
	if site, to, ok := c.tunnelled(p); ok {
		c.say("through a tunnel to %s:%d in %s", p.address, p.port, site.Cluster)
		return to, true
	}
	if mode := tls.GetMode(); tls != nil && mode != v1alpha3.ClientTLSSettings_ISTIO_MUTUAL {
		c.say("a gateway lets nobody in who speaks %s", mode)
		return nil, false
	}
	sni := cmp.Or(tls.GetSni(), fmt.Sprintf("outbound_.%d_.%s_.%s", e.port, e.subset, e.host))
	to, ok := c.passThrough(c.meshes[site.Cluster], p.port, sni)
	if !ok {
		c.say("the gateway of %s has no server name %s", site.Cluster, sni)
		return nil, false
	}
	c.say("through the gateway of %s to %s", site.Cluster, sni)
	return to, true
}
