// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"encoding/json"
	"strings"
)

// Config is everything that one proxy is sent, as far as the tests look into
// it, in the names of Envoy's JSON.
type Config struct {
	Clusters  []Cluster    `json:"clusters"`
	Endpoints []Assignment `json:"endpoints"`
	Listeners []Listener   `json:"listeners"`
	Routes    []Routes     `json:"routes"`

	// raw is all of it.
	raw []byte
}

// Cluster is a group of endpoints, and how they are talked to.
type Cluster struct {
	Name string `json:"name"`
	// Type is how endpoints are found, such as EDS.
	Type            string `json:"type"`
	TransportSocket struct {
		TypedConfig TLSContext `json:"typedConfig"`
	} `json:"transportSocket"`
	TransportSocketMatches []struct {
		Name  string `json:"name"`
		Match struct {
			TLSMode string `json:"tlsMode"`
		} `json:"match"`
		TransportSocket struct {
			TypedConfig TLSContext `json:"typedConfig"`
		} `json:"transportSocket"`
	} `json:"transportSocketMatches"`
	OutlierDetection *struct {
		MaxEjectionPercent int `json:"maxEjectionPercent"`
	} `json:"outlierDetection"`
}

// TLSContext is the client's side of TLS.
type TLSContext struct {
	Type   string `json:"@type"`
	SNI    string `json:"sni"`
	Common struct {
		Combined struct {
			Default struct {
				Names []Text `json:"matchSubjectAltNames"`
			} `json:"defaultValidationContext"`
		} `json:"combinedValidationContext"`
	} `json:"commonTlsContext"`
}

// Text matches a text.
type Text struct {
	Exact  *string `json:"exact"`
	Prefix *string `json:"prefix"`
	Suffix *string `json:"suffix"`
	Regex  *struct {
		Regex string `json:"regex"`
	} `json:"safeRegex"`
}

// Assignment lists the endpoints of a cluster.
type Assignment struct {
	ClusterName string `json:"clusterName"`
	Endpoints   []struct {
		Priority  int        `json:"priority"`
		Weight    int        `json:"loadBalancingWeight"`
		Endpoints []Endpoint `json:"lbEndpoints"`
	} `json:"endpoints"`
}

// Endpoint is one address.
type Endpoint struct {
	Health   string `json:"healthStatus"`
	Weight   int    `json:"loadBalancingWeight"`
	Endpoint struct {
		Address struct {
			Socket Socket `json:"socketAddress"`
		} `json:"address"`
	} `json:"endpoint"`
	Metadata struct {
		Filter struct {
			Match struct {
				TLSMode string `json:"tlsMode"`
			} `json:"envoy.transport_socket_match"`
		} `json:"filterMetadata"`
	} `json:"metadata"`
}

// Socket is an address and a port.
type Socket struct {
	Address string `json:"address"`
	Port    int    `json:"portValue"`
}

// Listener takes connections.
type Listener struct {
	Name      string `json:"name"`
	Direction string `json:"trafficDirection"`
	Address   struct {
		Socket Socket `json:"socketAddress"`
	} `json:"address"`
	Chains  []FilterChain `json:"filterChains"`
	Default *FilterChain  `json:"defaultFilterChain"`
}

// FilterChain is what happens to the connections that it matches.
type FilterChain struct {
	Match struct {
		Port        int      `json:"destinationPort"`
		ServerNames []string `json:"serverNames"`
		Transport   string   `json:"transportProtocol"`
		Prefixes    []struct {
			Address string `json:"addressPrefix"`
		} `json:"prefixRanges"`
	} `json:"filterChainMatch"`
	Filters []Filter `json:"filters"`
}

// Filter is a filter of a connection or of a request.
type Filter struct {
	Name   string       `json:"name"`
	Config FilterConfig `json:"typedConfig"`
}

// FilterConfig has the fields of all filters that the tests look into.
type FilterConfig struct {
	// Of tcp_proxy.
	Cluster          string            `json:"cluster"`
	WeightedClusters *WeightedClusters `json:"weightedClusters"`
	// Of http_connection_manager.
	RDS struct {
		Name string `json:"routeConfigName"`
	} `json:"rds"`
	HTTPFilters []Filter `json:"httpFilters"`
	// Of rbac, of connections and of requests.
	Rules *RBAC `json:"rules"`
}

// WeightedClusters share connections or requests.
type WeightedClusters struct {
	Clusters []struct {
		Name   string `json:"name"`
		Weight int    `json:"weight"`
	} `json:"clusters"`
}

// RBAC says who may.
type RBAC struct {
	Action   string `json:"action"`
	Policies map[string]struct {
		Permissions []json.RawMessage `json:"permissions"`
		Principals  []json.RawMessage `json:"principals"`
	} `json:"policies"`
}

// cluster finds a cluster by name.
func (c Config) cluster(name string) (Cluster, bool) {
	for _, x := range c.Clusters {
		if x.Name == name {
			return x, true
		}
	}
	return Cluster{}, false
}

// assignment finds the endpoints of a cluster.
func (c Config) assignment(name string) Assignment {
	for _, a := range c.Endpoints {
		if a.ClusterName == name {
			return a
		}
	}
	return Assignment{}
}

// tls is how endpoints are talked to that say of themselves which mode of TLS
// they speak; empty where in clear text.
func (c Cluster) tls(mode string) TLSContext {
	for _, m := range c.TransportSocketMatches {
		if m.Match.TLSMode == "" || m.Match.TLSMode == mode {
			return m.TransportSocket.TypedConfig
		}
	}
	return c.TransportSocket.TypedConfig
}

// mutual tells whether both sides show certificates.
func (t TLSContext) mutual() bool { return strings.HasSuffix(t.Type, ".UpstreamTlsContext") }

// mode is what an endpoint says of itself.
func (e Endpoint) mode() string { return e.Metadata.Filter.Match.TLSMode }

// names are the identities that are accepted.
func (t TLSContext) names() []string {
	var out []string
	for _, n := range t.Common.Combined.Default.Names {
		if n.Exact != nil {
			out = append(out, *n.Exact)
		}
	}
	return out
}
