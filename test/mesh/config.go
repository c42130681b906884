// SPDX-License-Identifier: Apache-2.0

package mesh

import "encoding/json"

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
		Name            string `json:"name"`
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
	Chains []FilterChain `json:"filterChains"`
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

// Routes is one route configuration.
type Routes struct {
	Name  string        `json:"name"`
	Hosts []VirtualHost `json:"virtualHosts"`
}

// VirtualHost has the routes of some names.
type VirtualHost struct {
	Name    string   `json:"name"`
	Domains []string `json:"domains"`
	Routes  []Route  `json:"routes"`
}

// Route is one route.
type Route struct {
	Name  string     `json:"name"`
	Match RouteMatch `json:"match"`
	Route *struct {
		Cluster          string            `json:"cluster"`
		WeightedClusters *WeightedClusters `json:"weightedClusters"`
		Timeout          string            `json:"timeout"`
		RetryPolicy      *struct {
			On       string `json:"retryOn"`
			Attempts int    `json:"numRetries"`
		} `json:"retryPolicy"`
	} `json:"route"`
	Redirect       json.RawMessage `json:"redirect"`
	DirectResponse *struct {
		Status int `json:"status"`
	} `json:"directResponse"`
}

// RouteMatch is what a request must meet.
type RouteMatch struct {
	Path          *string `json:"path"`
	Prefix        *string `json:"prefix"`
	PathSeparated *string `json:"pathSeparatedPrefix"`
	Regex         *struct {
		Regex string `json:"regex"`
	} `json:"safeRegex"`
	Headers []struct {
		Name    string `json:"name"`
		Text    *Text  `json:"stringMatch"`
		Present *bool  `json:"presentMatch"`
		Invert  bool   `json:"invertMatch"`
	} `json:"headers"`
	Query []struct {
		Name string `json:"name"`
		Text *Text  `json:"stringMatch"`
	} `json:"queryParameters"`
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

// tls is how the endpoints of a cluster are talked to: the context of all, or
// of those whose metadata says that they speak mutual TLS.
func (c Cluster) tls() TLSContext {
	for _, m := range c.TransportSocketMatches {
		if m.TransportSocket.TypedConfig.SNI != "" {
			return m.TransportSocket.TypedConfig
		}
	}
	return c.TransportSocket.TypedConfig
}

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
