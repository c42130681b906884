// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// overprovisioning is the factor by which Envoy lets a priority be larger than
// it needs to be before it passes anything on (docs: load balancing, priority
// levels).
const overprovisioning = 1.4

// reader reads the Config of each proxy once.
type reader struct {
	*World
	t       testing.TB
	configs map[string]Config
}

func (w *World) reader(t testing.TB) *reader {
	return &reader{World: w, t: t, configs: map[string]Config{}}
}

// config is what a pod's proxy is sent: a sidecar's, or that of a gateway.
func (r *reader) config(p Pod) Config {
	r.t.Helper()
	key := p.String()
	c, ok := r.configs[key]
	if !ok {
		c = r.read(r.t, p)
		r.configs[key] = c
	}
	return c
}

// gateway is what the east-west gateway of a cluster is sent.
func (r *reader) gateway(cluster string) Config {
	r.t.Helper()
	return r.config(r.pod(r.t, cluster, r.mesh(cluster).RootNamespace, gatewayName))
}

// shares is what each port of a pod gets, by cluster/namespace/name:port.
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
		for _, pod := range r.chosen(c, v.from, p.cluster) {
			out.add(pod, p.share/float64(len(r.chosen(c, v.from, p.cluster))))
		}
		for endpoint, share := range r.spread(c, p.cluster, lost) {
			for pod, inner := range r.behind(c, p.cluster, endpoint, lost) {
				out.add(pod, p.share*share*inner)
			}
		}
	}
	return out
}

// chosen lists the pods of a headless Service, of which the caller has chosen
// one itself by its address; none where Envoy chooses.
func (r *reader) chosen(c Config, from, cluster string) []string {
	x, _ := c.cluster(cluster)
	parts := strings.Split(cluster, "|")
	if x.Type != "ORIGINAL_DST" || len(parts) != 4 {
		return nil
	}
	service, rest, _ := strings.Cut(parts[3], ".")
	namespace, _, _ := strings.Cut(rest, ".")
	var out []string
	for _, p := range r.subset(from, namespace, service, nil) {
		out = append(out, p.at(r.port(p, must(strconv.Atoi(parts[1]))(r.t))))
	}
	return out
}

// spread divides what one cluster of Envoy's is sent between its endpoints: by
// priority and health, then by weight.
func (r *reader) spread(c Config, cluster string, lost []string) map[Socket]float64 {
	levels := map[int][]float64{} // priority: healthy, all
	well := func(e Endpoint) bool { return e.Health != "UNHEALTHY" && !r.gone(e.Endpoint.Address.Socket, lost) }
	weights := map[int]int{}
	a := c.assignment(cluster)
	for _, l := range a.Endpoints {
		if levels[l.Priority] == nil {
			levels[l.Priority] = make([]float64, 2)
		}
		for _, e := range l.Endpoints {
			levels[l.Priority][1]++
			if well(e) {
				levels[l.Priority][0]++
				weights[l.Priority] += max(1, e.Weight)
			}
		}
	}
	loads := loads(levels)
	out := map[Socket]float64{}
	for _, l := range a.Endpoints {
		for _, e := range l.Endpoints {
			if well(e) {
				out[e.Endpoint.Address.Socket] += loads[l.Priority] * float64(max(1, e.Weight)) / float64(weights[l.Priority])
			}
		}
	}
	return out
}

// gone tells whether an endpoint takes no connections because its cluster, or
// the one that it leads to, is lost.
func (r *reader) gone(at Socket, lost []string) bool {
	site := r.siteOf(at)
	if p, ok := r.podAt(at.Address); ok {
		site = p.Cluster
	}
	return slices.Contains(lost, site)
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
	if p, ok := r.podAt(s.Address); ok {
		return shares{p.at(s.Port): 1}
	}
	if pods := r.exportedAt(s); len(pods) > 0 {
		return pods
	}
	at := r.gatewayOf(s.Address, s.Port)
	if at == "" {
		r.t.Errorf("%s has the endpoint %v, which is neither a pod nor a gateway", cluster, s)
		return nil
	}
	envoys, _ := c.cluster(cluster)
	sni := envoys.tls("").SNI
	remote := r.gateway(at)
	target, err := remote.passthrough(sni, s.Port)
	if err != nil {
		r.t.Errorf("%s at the gateway of %s: %v", cluster, at, err)
		return nil
	}
	out := shares{}
	for endpoint, share := range r.spread(remote, target, lost) {
		p, ok := r.podAt(endpoint.Address)
		if !ok || p.Cluster != at {
			r.t.Errorf("the gateway of %s passes %s on to %v, which is no pod there", at, sni, endpoint)
			continue
		}
		out.add(p.at(endpoint.Port), share)
	}
	return out
}

// podAt finds the pod that has an address.
func (w *World) podAt(address string) (Pod, bool) {
	for _, p := range w.Pods {
		if p.IP == address && p.service != "" {
			return p, true
		}
	}
	return Pod{}, false
}

// exportedAt says which pods an export address stands for: all that are ready.
func (w *World) exportedAt(s Socket) shares {
	cluster, service := w.export(s.Address)
	out := shares{}
	for _, p := range w.Pods {
		if p.Cluster == cluster && p.Namespace+"/"+p.service == service && p.Ready {
			out[p.at(w.port(p, s.Port))] = 1
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
