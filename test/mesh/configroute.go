// SPDX-License-Identifier: Apache-2.0

package mesh

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
		RouteAction
	} `json:"route"`
	Redirect       *Redirect `json:"redirect"`
	DirectResponse *struct {
		Status int `json:"status"`
		Body   struct {
			Text string `json:"inlineString"`
		} `json:"body"`
	} `json:"directResponse"`
	RequestAdd     []HeaderValue `json:"requestHeadersToAdd"`
	RequestRemove  []string      `json:"requestHeadersToRemove"`
	ResponseAdd    []HeaderValue `json:"responseHeadersToAdd"`
	ResponseRemove []string      `json:"responseHeadersToRemove"`
	Filters        struct {
		CORS  *CORS  `json:"envoy.filters.http.cors"`
		Fault *Fault `json:"envoy.filters.http.fault"`
	} `json:"typedPerFilterConfig"`
}

// RouteAction is what is done to a request that is sent on.
type RouteAction struct {
	Timeout     string `json:"timeout"`
	RetryPolicy *struct {
		On       string `json:"retryOn"`
		Attempts int    `json:"numRetries"`
		Each     string `json:"perTryTimeout"`
	} `json:"retryPolicy"`
	Host      string `json:"hostRewriteLiteral"`
	Prefix    string `json:"prefixRewrite"`
	PathRegex *struct {
		Pattern struct {
			Regex string `json:"regex"`
		} `json:"pattern"`
		Substitution string `json:"substitution"`
	} `json:"regexRewrite"`
	Mirrors []struct {
		Cluster  string `json:"cluster"`
		Fraction struct {
			Default Percent `json:"defaultValue"`
		} `json:"runtimeFraction"`
	} `json:"requestMirrorPolicies"`
	Hash []struct {
		Cookie *struct {
			Name string `json:"name"`
			TTL  string `json:"ttl"`
			Path string `json:"path"`
		} `json:"cookie"`
		Header *struct {
			Name string `json:"headerName"`
		} `json:"header"`
		Connection *struct {
			SourceIP bool `json:"sourceIp"`
		} `json:"connectionProperties"`
	} `json:"hashPolicy"`
}

// Redirect sends the caller elsewhere.
type Redirect struct {
	Scheme string `json:"schemeRedirect"`
	Host   string `json:"hostRedirect"`
	Port   int    `json:"portRedirect"`
	Path   string `json:"pathRedirect"`
	// Code is a name, and 301 where there is none.
	Code string `json:"responseCode"`
}

// HeaderValue sets a header, or adds it to those of its name.
type HeaderValue struct {
	Header struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"header"`
	Action string `json:"appendAction"`
}

// Percent is a part of a hundred, of ten thousand or of a million.
type Percent struct {
	Numerator   float64 `json:"numerator"`
	Denominator string  `json:"denominator"`
}

// CORS is the configuration of Envoy's filter.
type CORS struct {
	Origins     []Text `json:"allowOriginStringMatch"`
	Methods     string `json:"allowMethods"`
	Headers     string `json:"allowHeaders"`
	Expose      string `json:"exposeHeaders"`
	Age         string `json:"maxAge"`
	Credentials bool   `json:"allowCredentials"`
}

// Fault is the configuration of Envoy's filter.
type Fault struct {
	Delay *struct {
		Fixed      string  `json:"fixedDelay"`
		Percentage Percent `json:"percentage"`
	} `json:"delay"`
	Abort *struct {
		HTTP       int     `json:"httpStatus"`
		GRPC       int     `json:"grpcStatus"`
		Percentage Percent `json:"percentage"`
	} `json:"abort"`
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

// routed are the clusters that some route or listener names.
func (c Config) routed() map[string]bool {
	out := map[string]bool{}
	note := func(one string, several *WeightedClusters) {
		for _, p := range parts(one, several) {
			out[p.cluster] = true
		}
	}
	for _, config := range c.Routes {
		for _, host := range config.Hosts {
			for _, route := range host.Routes {
				if route.Route != nil {
					note(route.Route.Cluster, route.Route.WeightedClusters)
					for _, m := range route.Route.Mirrors {
						note(m.Cluster, nil)
					}
				}
			}
		}
	}
	for _, l := range c.Listeners {
		for _, chain := range l.Chains {
			for _, f := range chain.Filters {
				note(f.Config.Cluster, f.Config.WeightedClusters)
			}
		}
	}
	return out
}
