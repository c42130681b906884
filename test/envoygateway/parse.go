// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// parse turns the JSON of Envoy's messages into plain data.
func parse(clusters, endpoints, listeners, routes []json.RawMessage) (Configuration, error) {
	out := Configuration{Clusters: map[string]Cluster{}}
	for _, text := range clusters {
		var c rawCluster
		raw := map[string]any{}
		if err := decode(text, &c, &raw); err != nil {
			return out, err
		}
		cluster := Cluster{Raw: raw, Panic: 50, Localities: c.LoadAssignment.localities()}
		if p := c.CommonLbConfig.HealthyPanicThreshold; p != nil {
			cluster.Panic = p.Value
		}
		out.Clusters[c.Name] = cluster
	}
	for _, text := range endpoints {
		var a rawAssignment
		if err := decode(text, &a); err != nil {
			return out, err
		}
		cluster := out.Clusters[a.ClusterName]
		cluster.Localities = a.localities()
		out.Clusters[a.ClusterName] = cluster
	}
	byRoutes := map[string][]string{}
	for _, text := range listeners {
		var l rawListener
		if err := decode(text, &l); err != nil {
			return out, err
		}
		out.Streams = append(out.Streams, l.streams()...)
		l.filters(byRoutes)
	}
	for _, text := range routes {
		var r rawRoutes
		if err := decode(text, &r); err != nil {
			return out, err
		}
		for _, h := range r.VirtualHosts {
			host := Host{Domains: h.Domains, Filters: byRoutes[r.Name]}
			for _, route := range h.Routes {
				host.Routes = append(host.Routes, route.plain())
			}
			out.Hosts = append(out.Hosts, host)
		}
	}
	slices.SortFunc(out.Hosts, func(a, b Host) int { return slices.Compare(a.Domains, b.Domains) })
	slices.SortFunc(out.Streams, func(a, b Stream) int {
		return cmp.Or(cmp.Compare(a.Listener, b.Listener), slices.Compare(a.ServerNames, b.ServerNames))
	})
	return out, nil
}

func decode(text json.RawMessage, into ...any) error {
	for _, v := range into {
		if err := json.Unmarshal(text, v); err != nil {
			return fmt.Errorf("read %.80s: %w", text, err)
		}
	}
	return nil
}

// The parts of Envoy's messages that are looked at.
type rawCluster struct {
	Name           string        `json:"name"`
	LoadAssignment rawAssignment `json:"loadAssignment"`
	CommonLbConfig struct {
		HealthyPanicThreshold *struct {
			Value float64 `json:"value"`
		} `json:"healthyPanicThreshold"`
	} `json:"commonLbConfig"`
}

type rawAssignment struct {
	ClusterName string `json:"clusterName"`
	Endpoints   []struct {
		Priority            uint32        `json:"priority"`
		LoadBalancingWeight uint32        `json:"loadBalancingWeight"`
		LbEndpoints         []rawEndpoint `json:"lbEndpoints"`
	} `json:"endpoints"`
}

type rawEndpoint struct {
	HealthStatus string `json:"healthStatus"`
	Endpoint     struct {
		Address struct {
			SocketAddress struct {
				Address   string `json:"address"`
				PortValue int    `json:"portValue"`
			} `json:"socketAddress"`
		} `json:"address"`
	} `json:"endpoint"`
}

func (a rawAssignment) localities() []Locality {
	var out []Locality
	for _, l := range a.Endpoints {
		locality := Locality{Priority: l.Priority, Weight: l.LoadBalancingWeight}
		for _, e := range l.LbEndpoints {
			at := e.Endpoint.Address.SocketAddress
			locality.Endpoints = append(locality.Endpoints, Endpoint{Address: fmt.Sprintf("%s:%d", at.Address, at.PortValue),
				Healthy: e.HealthStatus == "" || e.HealthStatus == "HEALTHY"})
		}
		out = append(out, locality)
	}
	return out
}

type rawWeights struct {
	Clusters []struct {
		Name   string `json:"name"`
		Weight uint32 `json:"weight"`
	} `json:"clusters"`
}

// targets of a single cluster or of weighted ones.
func targets(cluster string, weighted *rawWeights) []Target {
	var out []Target
	if cluster != "" {
		out = append(out, Target{cluster, 1})
	}
	if weighted != nil {
		for _, c := range weighted.Clusters {
			out = append(out, Target{c.Name, c.Weight})
		}
	}
	return out
}

type rawListener struct {
	Name         string `json:"name"`
	FilterChains []struct {
		FilterChainMatch struct {
			ServerNames []string `json:"serverNames"`
		} `json:"filterChainMatch"`
		Filters []rawFilter `json:"filters"`
	} `json:"filterChains"`
	DefaultFilterChain struct {
		Filters []rawFilter `json:"filters"`
	} `json:"defaultFilterChain"`
	ListenerFilters []rawFilter `json:"listenerFilters"`
}

type rawFilter struct {
	TypedConfig struct {
		Type             string      `json:"@type"`
		Cluster          string      `json:"cluster"`
		WeightedClusters *rawWeights `json:"weightedClusters"`
		// Of UDP: the matcher ends in an action that names the cluster.
		Matcher json.RawMessage `json:"matcher"`
		// Of HTTP: what else is done, and by which routes.
		HTTPFilters []struct {
			Name string `json:"name"`
		} `json:"httpFilters"`
		RDS struct {
			RouteConfigName string `json:"routeConfigName"`
		} `json:"rds"`
	} `json:"typedConfig"`
}

// filters notes the names of the HTTP filters by the name of their routes.
func (l rawListener) filters(byRoutes map[string][]string) {
	all := l.DefaultFilterChain.Filters
	for _, chain := range l.FilterChains {
		all = append(all, chain.Filters...)
	}
	for _, f := range all {
		for _, h := range f.TypedConfig.HTTPFilters {
			byRoutes[f.TypedConfig.RDS.RouteConfigName] = append(byRoutes[f.TypedConfig.RDS.RouteConfigName], h.Name)
		}
	}
}

func (l rawListener) streams() []Stream {
	var out []Stream
	scheme := "tcp"
	for _, f := range l.ListenerFilters {
		if strings.HasSuffix(f.TypedConfig.Type, ".TlsInspector") {
			scheme = "tls"
		}
	}
	for _, chain := range l.FilterChains {
		for _, f := range chain.Filters {
			if strings.HasSuffix(f.TypedConfig.Type, ".TcpProxy") {
				out = append(out, Stream{l.Name, scheme, chain.FilterChainMatch.ServerNames, targets(f.TypedConfig.Cluster, f.TypedConfig.WeightedClusters)})
			}
		}
	}
	for _, f := range l.ListenerFilters {
		if strings.HasSuffix(f.TypedConfig.Type, ".UdpProxyConfig") {
			_, after, _ := strings.Cut(string(f.TypedConfig.Matcher), `"cluster":`)
			cluster, _, _ := strings.Cut(strings.TrimLeft(after, ` "`), `"`)
			out = append(out, Stream{Listener: l.Name, Scheme: "udp", Targets: targets(cluster, nil)})
		}
	}
	return out
}
