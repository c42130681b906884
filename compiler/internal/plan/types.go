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
	Store, ClusterSet, Context, Domain string
	// Tunnel is nil where the cluster has no tunnels.
	Tunnel *Tunnel
	// Services by fragment.
	Services []Service
	// Pending and Held, by fragment and message.
	Pending, Held []Note
	// Traffic of the consumers in this cluster, as written.
	Traffic []Share
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
	Gateways        []Gateway
	Peers           []Peer
}

// Gateway is a gateway of this cluster.
type Gateway struct {
	Name, Node string
	Addresses  []netip.Addr
	Tunnel     netip.Addr
	Port       int32
}

// Peer is a gateway of another cluster.
type Peer struct {
	Cluster, Gateway, Key string
	Endpoints             []netip.AddrPort
	Tunnel                netip.Addr
	Prefixes              []netip.Prefix
}

// Service is what one policy asks of the cluster.
type Service struct {
	Fragment        manifest.FragmentID
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
}

// MeshGateway lets other meshes in.
type MeshGateway struct {
	Selector  map[string]string
	Addresses []netip.Addr
	Port      int32
}

// Caller is a consumer somewhere and the rules by which it calls.
type Caller struct {
	Cluster string
	Rules   []Rule
}

// Import lets the cluster's pods call the service.
type Import struct {
	// Declare: the ServiceImport is ours to write.
	Declare bool
	// Virtual is the clusterset IP.
	Virtual    netip.Addr
	MinHealthy int32
	// Routed: everything that routing needs is known.
	Routed bool
	Rules  []Rule
	// Outlier is nil where the policy does not say.
	Outlier *v1alpha1.OutlierDetection
	// Stub: the cluster lacks the Service, and its name needs one.
	Stub bool
	// OtherPorts of the cluster's own Service are not governed.
	OtherPorts []Port
	// Namespaces that callers may be in; empty where that is not known.
	Namespaces []string
}

// Rule is a rule as one consumer sees it.
type Rule struct {
	Label   string
	Matches []v1alpha1.Match
	Timeout v1alpha1.Duration
	Retries *v1alpha1.Retries
	// Tiers, best first, with only those backends that have a weight.
	Tiers [][]Backend
}

// Backend is the service, or a subset of its pods, in one cluster.
type Backend struct {
	Cluster string
	// Local: in the consumer's own cluster.
	Local  bool
	Labels map[string]string
	Weight int64
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

	// path of the backend in its policy.
	path string
}
