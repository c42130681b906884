// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// overprovisioning is the factor by which Envoy lets a priority be larger than
// it needs to be before it passes anything on (docs: load balancing, priority
// levels).
const overprovisioning = 1.4

// reader reads Configs once for each proxy.
type reader struct {
	*World
	t        testing.TB
	gateways map[string]Config
}

func (w *World) reader(t testing.TB) *reader {
	return &reader{World: w, t: t, gateways: map[string]Config{}}
}

func (r *reader) gateway(cluster string) Config {
	if c, ok := r.gateways[cluster]; ok {
		return c
	}
	c := r.Gateway(r.t, cluster)
	r.gateways[cluster] = c
	return c
}

// shares is what each pod gets, by cluster and name; an empty name is what
// nobody serves.
type shares map[string]float64

func (s shares) add(pod string, v float64) {
	if v > 0 {
		s[pod] += v
	}
}

// split computes the shares of a verdict while some clusters are lost: their
// gateways take no connections.
func (r *reader) split(c Config, v verdict, lost []string) shares {
	out := shares{}
	for _, p := range v.parts {
		for endpoint, share := range r.spread(c, p.cluster, lost) {
			for pod, inner := range r.behind(c, p.cluster, endpoint, lost) {
				out.add(pod, p.share*share*inner)
			}
		}
	}
	return out
}

// spread divides what one cluster of Envoy's is sent between its endpoints: by
// priority and health, then by locality, then by weight.
func (r *reader) spread(c Config, cluster string, lost []string) map[Socket]float64 {
	levels := map[int][]float64{} // priority: healthy, all
	well := func(e Endpoint) bool {
		return e.Health != "UNHEALTHY" && !slices.Contains(lost, r.siteOf(e.Endpoint.Address.Socket))
	}
	a := c.assignment(cluster)
	for _, l := range a.Endpoints {
		if levels[l.Priority] == nil {
			levels[l.Priority] = make([]float64, 2)
		}
		for _, e := range l.Endpoints {
			levels[l.Priority][1]++
			if well(e) {
				levels[l.Priority][0]++
			}
		}
	}
	loads := loads(levels)
	out := map[Socket]float64{}
	for _, l := range a.Endpoints {
		total, all := 0, 0
		for _, other := range a.Endpoints {
			for _, e := range other.Endpoints {
				if other.Priority == l.Priority && well(e) {
					all += max(1, e.Weight)
				}
			}
		}
		total = all
		for _, e := range l.Endpoints {
			if well(e) {
				out[e.Endpoint.Address.Socket] += loads[l.Priority] * float64(max(1, e.Weight)) / float64(total)
			}
		}
	}
	return out
}

// loads are the parts of the priorities.
func loads(levels map[int][]float64) map[int]float64 {
	out, left, sum := map[int]float64{}, 1.0, 0.0
	var order []int
	for p := range levels {
		order = append(order, p)
	}
	slices.Sort(order)
	for _, p := range order {
		if levels[p][1] == 0 {
			continue
		}
		out[p] = math.Min(left, math.Min(1, overprovisioning*levels[p][0]/levels[p][1]))
		left -= out[p]
		sum += out[p]
	}
	for p := range out {
		if sum > 0 {
			out[p] /= sum
		}
	}
	return out
}

// behind says which pods an endpoint stands for: itself, or what the gateway of
// another cluster makes of the server name.
func (r *reader) behind(c Config, cluster string, s Socket, lost []string) shares {
	for _, p := range r.Pods {
		if p.IP == s.Address && p.Name != gatewayName {
			return shares{p.Cluster + "/" + p.Namespace + "/" + p.Name: 1}
		}
	}
	if pods := r.exportedAt(s.Address); len(pods) > 0 {
		return pods
	}
	at := r.gatewayOf(s.Address, s.Port)
	if at == "" {
		r.t.Errorf("%s has the endpoint %v, which is neither a pod nor a gateway", cluster, s)
		return nil
	}
	envoys, _ := c.cluster(cluster)
	sni := envoys.tls().SNI
	remote := r.gateway(at)
	target, err := remote.passthrough(sni, s.Port)
	if err != nil {
		r.t.Errorf("%s at the gateway of %s: %v", cluster, at, err)
		return nil
	}
	out := shares{}
	for endpoint, share := range r.spread(remote, target, lost) {
		for _, p := range r.Pods {
			if p.IP == endpoint.Address {
				out.add(p.Cluster+"/"+p.Namespace+"/"+p.Name, share)
				if p.Cluster != at {
					r.t.Errorf("the gateway of %s passes %s on to %s", at, sni, p.Cluster)
				}
			}
		}
	}
	return out
}

// exportedAt says which pods an export address stands for: all that are ready.
func (w *World) exportedAt(address string) shares {
	cluster, service := w.export(address)
	out := shares{}
	for _, p := range w.Pods {
		if p.Cluster == cluster && p.Namespace+"/"+p.service == service && p.Ready {
			out[p.Cluster+"/"+p.Namespace+"/"+p.Name] = 1
		}
	}
	for pod := range out {
		out[pod] = 1 / float64(len(out))
	}
	return out
}

// passthrough finds the cluster that a gateway sends a server name to.
func (c Config) passthrough(sni string, port int) (string, error) {
	for _, l := range c.Listeners {
		if l.Address.Socket.Port != port {
			continue
		}
		for _, chain := range l.Chains {
			if slices.Contains(chain.Match.ServerNames, sni) {
				for _, f := range chain.Filters {
					if f.Config.Cluster != "" {
						return f.Config.Cluster, nil
					}
				}
			}
		}
	}
	return "", fmt.Errorf("no filter chain on port %d has the server name %s", port, sni)
}
