// SPDX-License-Identifier: Apache-2.0

package envoygateway

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
	// Filters of the listener by name: settings of other filters do nothing.
	Filters []string
	// Routes in the order in which the proxy tries them.
	Routes []Route
}

// Stream is a filter chain that passes connections on.
type Stream struct {
	Listener string
	// Scheme is tcp, tls where server names are read, or udp.
	Scheme string
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
	// HostRewrite and PathRewrite, empty where nothing is rewritten. PathPattern
	// is what of the path is replaced; empty: the part that is matched.
	HostRewrite, PathRewrite, PathPattern string
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
