// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"slices"
)

// Configuration is what the proxies of one Gateway are sent.
type Configuration struct {
	// Hosts by listener and first domain.
	Hosts []Host
	// Streams are listeners' connections that are passed on without a look
	// inside.
	Streams []Stream
	// Clusters by name.
	Clusters map[string]Cluster
}

// Host is a virtual host of one listener.
type Host struct {
	Domains []string
	// Routes in the order in which the proxy tries them.
	Routes []Route
}

// Stream is a filter chain that passes connections on.
type Stream struct {
	Listener string
	// ServerNames of TLS connections; empty for every connection.
	ServerNames []string
	Targets     []Target
}

// Target is a cluster and its weight.
type Target struct {
	Cluster string
	Weight  uint32
}

// Route is one route of a virtual host.
type Route struct {
	Name  string
	Match Match
	// Targets; none where the route answers by itself.
	Targets []Target
	// Status of a direct response or a redirect; 0 where there is none. Location
	// is where a redirect leads, as Envoy's own fields.
	Status   int
	Body     string
	Location map[string]any
	// Timeout as Envoy writes it, such as "2s"; "0s" is none.
	Timeout string
	Retry   *Retry
	Mirrors []Mirror
	// RequestHeaders and ResponseHeaders that are changed: "+x: y" is added,
	// "=x: y" set, "-x" removed.
	RequestHeaders, ResponseHeaders []string
	// HostRewrite and PathRewrite, empty where nothing is rewritten.
	HostRewrite, PathRewrite string
	// HashPolicies by header or cookie name, "source" for the address.
	HashPolicies []string
	// Filters are the settings of HTTP filters for this route, by name.
	Filters map[string]map[string]any
}

// Match is what a request must have. Empty fields are not looked at.
type Match struct {
	Path, Prefix, ElementPrefix, Regex string
	// Headers and Query as "name=value", "name^=prefix", "name~=regex", "name"
	// for one that must be there; "!" before it where it must not match.
	Headers, Query []string
	GRPC           bool
}

// Retry of a route.
type Retry struct {
	Attempts      uint32
	On            []string
	Statuses      []uint32
	PerTryTimeout string
}

// Mirror copies requests.
type Mirror struct {
	Cluster string
	// PerMillion of the requests.
	PerMillion uint32
}

// Cluster is a set of endpoints.
type Cluster struct {
	Localities []Locality
	// Raw is the cluster as Envoy reads it.
	Raw map[string]any
	// Panic is the part of healthy endpoints in percent below which a proxy
	// stops looking at health; 50 unless the cluster says otherwise.
	Panic float64
}

// Locality is what one backend became.
type Locality struct {
	Priority, Weight uint32
	Endpoints        []Endpoint
}

// Endpoint is an address with its port.
type Endpoint struct {
	Address string
	// Healthy is false for one that is being drained.
	Healthy bool
}

// Share is the part of a route's requests that one address gets.
type Share struct {
	Address string
	Part    float64
}

// Envoy's documentation: a level of priority keeps everything while its health
// times this factor is at least 100 %.
const overprovisioning = 1.4

// Shares says who gets which part of the requests of a route, as Envoy's
// documentation of priority levels and locality-weighted load balancing has it.
// Weighted clusters that do not exist are left out: their part is refused.
func (c Configuration) Shares(targets []Target) []Share {
	parts, total := map[string]float64{}, 0.0
	for _, t := range targets {
		total += float64(t.Weight)
	}
	for _, t := range targets {
		cluster, ok := c.Clusters[t.Cluster]
		if !ok {
			continue
		}
		for address, part := range cluster.shares() {
			parts[address] += part * float64(t.Weight) / total
		}
	}
	var out []Share
	for address, part := range parts {
		if part > 0 {
			out = append(out, Share{address, part})
		}
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Compare(a.Address, b.Address) })
	return out
}

// shares of the addresses of one cluster.
func (c Cluster) shares() map[string]float64 {
	levels := map[uint32][]Locality{}
	var order []uint32
	for _, l := range c.Localities {
		if levels[l.Priority] == nil {
			order = append(order, l.Priority)
		}
		levels[l.Priority] = append(levels[l.Priority], l)
	}
	slices.Sort(order)
	loads, left, sum := map[uint32]float64{}, 1.0, 0.0
	for _, p := range order {
		load := min(left, overprovisioning*health(levels[p]))
		loads[p] = load
		left -= load
		sum += load
	}
	out := map[string]float64{}
	for _, p := range order {
		if sum == 0 {
			return out
		}
		for address, part := range within(levels[p]) {
			out[address] += part * loads[p] / sum
		}
	}
	return out
}

// health is the healthy part of all endpoints of a level.
func health(level []Locality) float64 {
	healthy, all := 0, 0
	for _, l := range level {
		for _, e := range l.Endpoints {
			all++
			if e.Healthy {
				healthy++
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(healthy) / float64(all)
}

// within divides a level by the weights of its localities, each by its health.
func within(level []Locality) map[string]float64 {
	out, total := map[string]float64{}, 0.0
	effective := func(l Locality) float64 {
		return float64(l.Weight) * min(1, overprovisioning*health([]Locality{l}))
	}
	for _, l := range level {
		total += effective(l)
	}
	for _, l := range level {
		var healthy []Endpoint
		for _, e := range l.Endpoints {
			if e.Healthy {
				healthy = append(healthy, e)
			}
		}
		for _, e := range healthy {
			out[e.Address] += effective(l) / total / float64(len(healthy))
		}
	}
	return out
}
