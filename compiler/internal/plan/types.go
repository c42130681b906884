// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"net/netip"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Plan is what must be true in one config store.
type Plan struct {
	// Store is the cluster that the configuration is written to.
	Store, ClusterSet, Domain string
	// API is the way to the store.
	API v1alpha1.ClusterAPI
	// Tunnel is nil where the cluster has no tunnels.
	Tunnel *Tunnel
	// Mesh is nil where no istiod reads this store.
	Mesh *Mesh
	// SharedNetwork is the network of the store's own cluster where one istiod
	// configures several; nil where its istiod has no other cluster.
	SharedNetwork *SharedNetwork
	// Services of the store's own cluster, by fragment.
	Services []Service
	// Routes at the cluster's gateways for requests from outside, by fragment.
	Routes []Route
	// Parts are the Services, with their exports and imports, that stand for
	// parts of services at gateways of any cluster, by fragment and name.
	Parts []Part
	// Pending and Held, by fragment and message.
	Pending, Held []Note
	// Traffic of the consumers in this cluster, as written.
	Traffic []Share
}

// Mesh is what the proxies are told that the istiod of this store configures.
type Mesh struct {
	// Fragment of the mesh as a whole.
	Fragment      manifest.FragmentID
	RootNamespace string
	// Strict: pods with a sidecar refuse clear text.
	Strict bool
	// Members are the clusters whose proxies read this store, by name; usually
	// the store's own alone. With several, routes are told apart by the cluster
	// of the caller.
	Members []Member
	// Services of all members, by fragment and cluster.
	Services []Service
	// Routes at the Istio gateways of all members, by fragment and cluster.
	Routes []Route
}

// Member is a cluster whose proxies read a store.
type Member struct {
	Cluster, Network, TrustDomain string
	// Gateway is nil where the cluster lets nobody in.
	Gateway *MeshGateway
}

// SharedNetwork is how an istiod of several clusters finds a network's gateway:
// by a label of its Service, which is the user's.
type SharedNetwork struct {
	Fragment manifest.FragmentID
	// Namespace and Service of the gateway.
	Namespace, Service string
	Network            string
	Port               int32
}

// Route is what one policy asks of one gateway of one cluster.
type Route struct {
	Fragment manifest.FragmentID
	// Cluster of the gateway.
	Cluster string
	// Namespace and Name of the service, Policy by name in that namespace.
	Namespace, Name, Policy string
	Provider                v1alpha1.NorthSouthProvider
	Gateway                 GatewayRef
	Hostnames               []v1alpha1.Hostname
	// Import says how the service is reached from there. The rules of a provider
	// that chooses by specificity have matches with which the most specific one
	// is of the first rule that was written.
	Ports  []Port
	Import *Import
	// Access is nil where the gateway lets everybody in.
	Access *Access
}

// GatewayRef names a gateway of the user's.
type GatewayRef struct {
	Namespace, Name string
	// Listener is empty for every one that takes the hostnames.
	Listener string
}

// Part is the service of one (cluster, subset) under a name of its own: an
// import is the union of its exporters and cannot carry a cluster's weight.
type Part struct {
	Fragment                 manifest.FragmentID
	Namespace, Service, Name string
	// Labels of the subset; none: every pod of the service.
	Labels map[string]string
	// Selector of the Service that the part is of.
	Selector map[string]string
	Ports    []Port
	// Exported: this store's cluster has the pods; otherwise it imports them.
	Exported bool
	// Offered: gateways of other clusters ask for the pods; otherwise only those
	// of their own cluster do.
	Offered bool
	// Address is the export address, Virtual the clusterset IP of the part.
	Address, Virtual netip.Addr
}

// Note is a message about a fragment.
type Note struct {
	Fragment manifest.FragmentID
	Message  string
}

// Share is the part of one rule's traffic that one backend is offered.
type Share struct {
	Fragment               manifest.FragmentID
	Service, Rule, Backend string
	Tier, Permille         int32
}

// Tunnel joins the cluster to the others.
type Tunnel struct {
	Fragment manifest.FragmentID
	Driver   v1alpha1.Driver
	MTU      int32
	Pods     []netip.Prefix
	// Global is the cluster's own part of the set's range, Virtual the range of
	// the clusterset IPs.
	Global, Virtual netip.Prefix
	// Translation is nil where the pods' addresses are nobody else's anywhere.
	Translation *Translation
	Gateways    []Gateway
	Peers       []Peer
}

// Translation says how callers are seen in other clusters.
type Translation struct {
	Mode v1alpha1.Translation
	// Toward are the clusters that nothing may be sent to untranslated.
	Toward []string
	// Egress are the pools that callers are seen under, in order.
	Egress []EgressPool
	// Prefixes of pods that are translated one to one.
	Prefixes []PrefixPair
}

// EgressPool is addresses for some callers; without a name, for all others.
type EgressPool struct {
	Name       string
	Namespaces []string
	Labels     map[string]string
	Addresses  []netip.Addr
}

// PrefixPair is a range of pods and the one that it is seen under.
type PrefixPair struct{ Pods, Global netip.Prefix }

// Gateway is a gateway of this cluster.
type Gateway struct {
	Name, Node string
	Addresses  []netip.Addr
	Tunnel     netip.Addr
	// Port is the tunnel's; up to LastPort the others are the gateway's too.
	Port, LastPort int32
}

// Peer is a gateway of another cluster.
type Peer struct {
	Cluster, Gateway, Key string
	// Private go before Endpoints.
	Endpoints, Private []netip.AddrPort
	Tunnel             netip.Addr
	Prefixes           []netip.Prefix
}

// Service is what one policy asks of one cluster.
type Service struct {
	Fragment manifest.FragmentID
	// Cluster that exports or consumes.
	Cluster         string
	Namespace, Name string
	// Policy by name, in the service's namespace.
	Policy   string
	EastWest v1alpha1.EastWestProvider
	Ports    []Port
	Headless bool
	// Export is nil where the policy offers nothing here, Import where it
	// governs no caller here.
	Export *Export
	Import *Import
}

// Port is a governed port.
type Port struct {
	Name        string
	Number      int32
	Protocol    v1alpha1.Protocol
	Transport   v1alpha1.Transport
	AppProtocol string
	// Target is the port of the pods; zero where it is not known.
	Target int32
	// Sniffed: sidecars look into each connection to the port of the Service's
	// own name, and treat as requests what looks like them.
	Sniffed bool
}

// L7 tells whether the port is routed per request.
func (p Port) L7() bool {
	return p.Protocol == v1alpha1.ProtocolHTTP || p.Protocol == v1alpha1.ProtocolGRPC
}

// Export offers the service to other clusters.
type Export struct {
	// Declare: the ServiceExport is ours to write.
	Declare bool
	// Address under which gateways of other clusters reach the service; not
	// valid where the cluster has no tunnels.
	Address netip.Addr
	// Gateway is nil where the cluster has no mesh or lets nobody in.
	Gateway *MeshGateway
	// Callers by cluster.
	Callers []Caller
	// Selector of the Service's pods; empty where it is not known.
	Selector map[string]string
	// Access is nil where callers stay as they are.
	Access *Access
	// ClusterNames: some callers use the names that end in cluster.local.
	ClusterNames bool
	// Enforced: what must be known to enforce Access without proxies is.
	Enforced bool
	// MutualTLS: the pods refuse clear text. ClearText: they speak nothing else,
	// so that no gateway of a mesh can pass callers on.
	MutualTLS, ClearText bool
}

// Access says who may call; no entry: nobody may.
type Access struct {
	Allow []AccessRule
}

// AccessRule describes callers. What is empty is not looked at.
type AccessRule struct {
	// Clusters of the caller; every cluster of the set where the policy names
	// none. All: it names none.
	Clusters []AccessCluster
	All      bool
	v1alpha1.AccessRule
}

// AccessCluster is a cluster that callers may be in.
type AccessCluster struct {
	Name, TrustDomain string
}

// MeshGateway lets other meshes in.
type MeshGateway struct {
	// Service of the gateway, in the root namespace of its mesh.
	Service   string
	Selector  map[string]string
	Addresses []netip.Addr
	Port      int32
}

// Caller is a consumer somewhere and the rules by which it calls.
type Caller struct {
	Cluster string
	// Other: it calls by the policy of another service; each of its Rules has one
	// backend, which is this service in this cluster.
	Other bool
	// TLS as the policy of such a caller says.
	TLS   v1alpha1.TLSMode
	Rules []Rule
}

// Import lets the cluster's pods call the service.
type Import struct {
	// Declare: the ServiceImport is ours to write.
	Declare bool
	// Virtual is the clusterset IP; not valid where pods have IPv6 alone.
	Virtual netip.Addr
	// Virtual6 is its IPv6 clusterset IP; not valid where there is none.
	Virtual6      netip.Addr
	Names         Names
	MinHealthy    int32
	FailbackDelay v1alpha1.Duration
	// Routed: everything that routing needs is known.
	Routed bool
	// Ports that callers are routed on: those of the governed that the provider
	// carries.
	Ports []Port
	Rules []Rule
	// Resilience and LoadBalancing have zero values where nothing was said.
	Resilience    v1alpha1.Resilience
	LoadBalancing v1alpha1.LoadBalancing
	// HealthCheck is nil where readiness decides.
	HealthCheck *v1alpha1.HealthCheck
	// TLS is never empty.
	TLS v1alpha1.TLSMode
	// Stub: the cluster lacks the Service, and its name needs one.
	Stub bool
	// Exported: the cluster offers the service besides, whichever policy says so.
	Exported bool
	// OtherPorts of the cluster's own Service are not governed.
	OtherPorts []Port
	// Namespaces that callers may be in; empty where that is not known.
	Namespaces []string
}

// Names says which names of a service are governed: those that end in
// cluster.local, and those under the set's domain.
type Names struct {
	Cluster, ClusterSet bool
}

// Rule is a rule as one consumer sees it: what the policy and the set's
// defaults say of requests, and where they go. Its written Backends and Mirror
// are resolved in Tiers and Copy.
type Rule struct {
	v1alpha1.Rule
	Label string
	// Tiers, best first, with only those backends that have a weight. None:
	// the rule answers by itself, or nobody is there.
	Tiers [][]Backend
	// Copy gets a copy of each request; nil where nothing is mirrored.
	Copy *Backend
	// Strangers are the other clusters of the consumer's control plane that have
	// pods of the service, or may have: its istiod knows them whatever the rule
	// says.
	Strangers []Stranger
}

// Stranger is a cluster whose pods an istiod knows besides those that a rule
// sends requests to.
type Stranger struct {
	Cluster string
	// Any: some of its pods may have any labels, because it exports the service or
	// was never observed. Otherwise Pods are the labels of those that it has.
	Any  bool
	Pods []map[string]string
}

// Answers tells whether the rule answers requests by itself.
func (r Rule) Answers() bool { return r.Redirect != nil || r.DirectResponse != nil }

// Backend is a service, or a subset of its pods, in one cluster.
type Backend struct {
	Cluster string
	// Local: in the consumer's own cluster.
	Local bool
	// Near: the consumer reaches its pods without a gateway: in its own cluster,
	// or in its own network.
	Near bool
	// Member: the consumer's own istiod knows its pods, because one control
	// plane configures both clusters.
	Member bool
	// Namespace and Service are empty for the policy's own, Port is zero for the
	// port that was called.
	Namespace, Service string
	Port               int32
	// Ports of that other service; none for the policy's own. At a gateway of the
	// Gateway API those of any service, as its cluster has them.
	Ports  []Port
	Labels map[string]string
	Weight int64
	// Object is, at a gateway of the Gateway API, the name of the Service that the
	// pods are behind where they are Local, and of the ServiceImport otherwise.
	Object string
	// Address is the export address; Part the address of this cluster's part of
	// the service in a mesh. Not valid where there is none.
	Address, Part netip.Addr
	// Gateway that lets callers in; nil where there is none.
	Gateway *MeshGateway
	// Identities that the pods may have, as SPIFFE ids, sorted.
	Identities []string
	// Absent: nothing may be sent there, because something that must be known
	// is not. Its share goes where that of a dead backend goes.
	Absent bool
	// Lost: its cluster is on its way out of the set, and nothing is sent there.
	Lost bool

	// path of the backend in its policy.
	path string
	// plane is the control plane of several clusters, not the consumer's own, that
	// has the gateway's server names; empty where it has no other cluster's.
	// crowded: another cluster of its control plane is in the same network, whose
	// pods its gateway passes requests to as well. apart: the consumer's control
	// plane has several clusters, and this is none of them.
	plane          string
	crowded, apart bool
}
