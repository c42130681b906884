// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Place finds the position of a field of a document by its path.
type Place func(path string) diag.Position

// Fleet is everything that the documents and the inventory say, resolved.
type Fleet struct {
	// Sets by name.
	Sets []*Set
	// Services by namespace, name and set.
	Services []*Service
	// Allocations in use, sorted.
	Allocations []inventory.Allocation
	// Quarantined facts, by cluster and fact.
	Quarantined []Quarantined
}

// Quarantined is a fact that is not believed.
type Quarantined struct {
	Cluster, Fact, Message string
}

// Set is a ClusterSet.
type Set struct {
	Name, Domain string
	// Global and Virtual are the ranges of export and tunnel addresses and of
	// clusterset IPs.
	Global, Virtual netip.Prefix
	Driver          v1alpha1.Driver
	// MTU in bytes; zero: found by the agents.
	MTU int32
	// Clusters by name.
	Clusters []*Cluster
	At       Place
}

// Cluster returns a member by name, nil where there is none.
func (s *Set) Cluster(name string) *Cluster {
	for _, c := range s.Clusters {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Cluster is a member of a Set.
type Cluster struct {
	Set                         *Set
	Name, Region, Zone, Context string
	Labels                      map[string]string
	EastWest                    v1alpha1.EastWestProvider
	Discovery                   v1alpha1.DiscoveryProvider
	Tunnel                      v1alpha1.TunnelProvider
	Pods, Services              []netip.Prefix
	// Global is the cluster's part of the set's range; not valid where the
	// cluster has no tunnels.
	Global   netip.Prefix
	Gateways []*Gateway
	Mesh     Mesh
	Facts    Facts
	// Path of the cluster in its ClusterSet.
	Path string
}

// Tunnels tells whether Fairlead joins the cluster to others.
func (c *Cluster) Tunnels() bool { return c.Tunnel == v1alpha1.TunnelFairlead }

// Mesh describes the Istio of a cluster.
type Mesh struct {
	TrustDomain string
	// Gateway is nil where the cluster lets nobody in.
	Gateway *MeshGateway
}

// MeshGateway is an east-west gateway.
type MeshGateway struct {
	Selector  map[string]string
	Addresses []netip.Addr
	Port      int32
}

// Gateway is a node that ends tunnels.
type Gateway struct {
	Name, Node string
	Port       int32
	// Addresses for peers and Key, as git, the node or the ledger tells; empty
	// where nothing is known yet.
	Addresses []netip.Addr
	Key       string
	// NodeAddresses as the node announces them, for its own cluster.
	NodeAddresses []netip.Addr
	// Tunnel is the gateway's address in the tunnels.
	Tunnel netip.Addr

	pin      string
	declared []netip.Addr
	// told is what each cluster was told last, by its name.
	told map[string]Told
}

// State says what is known of a cluster.
type State int

// The states of knowledge. Unknown: never observed. Unreachable: observed
// before, but not now.
const (
	Unknown State = iota
	Observed
	Unreachable
)

// Facts is what a cluster said of itself.
type Facts struct {
	State State
	inventory.Cluster
}

// Service finds a Service that was observed.
func (f Facts) Service(namespace, name string) (inventory.Service, bool) {
	i := slices.IndexFunc(f.Services, func(s inventory.Service) bool { return s.Namespace == namespace && s.Name.Name == name })
	if i < 0 {
		return inventory.Service{}, false
	}
	return f.Services[i], true
}

// Service is what all policies of one service say.
type Service struct {
	Set             *Set
	Namespace, Name string
	// Producer is the policy whose fragments hold the exports.
	Producer *Policy
	// Policies by name.
	Policies []*Policy
	// Exporters by name.
	Exporters []*Cluster
	// Adopted: the exporters are those where a ServiceExport exists already,
	// and the ServiceExports are not ours to write.
	Adopted bool
	Ports   []Port
	// PortsFrom is the policy that lists the ports; nil where they were
	// observed.
	PortsFrom *Policy
	// NamesKnown: the names of all ports were observed.
	NamesKnown bool
	Headless   bool
	// Disputed says what exporters contradict each other in, with nobody in the
	// majority; empty where nothing is.
	Disputed string
	// Virtual is the clusterset IP, Parts the address of each cluster's part of
	// it, Exports the export address, by cluster.
	Virtual netip.Addr
	Parts   map[string]netip.Addr
	Exports map[string]netip.Addr
}

// PortsGiven tells whether a policy lists the ports.
func (s *Service) PortsGiven() bool { return s.PortsFrom != nil }

// Key is namespace/name.
func (s *Service) Key() string { return s.Namespace + "/" + s.Name }

// ExportedBy tells whether a cluster offers the service.
func (s *Service) ExportedBy(c *Cluster) bool { return slices.Contains(s.Exporters, c) }

// Port is a port of a service.
type Port struct {
	// Name of the Service's port; empty for the only, unnamed port and where it
	// is not known.
	Name     string
	Number   int32
	Protocol v1alpha1.Protocol
	// AppProtocol as the Service gives it.
	AppProtocol string
	// Path of the port in the policy that gives it; empty where it was observed.
	Path string
}

// Policy is a TrafficPolicy.
type Policy struct {
	Set                      *Set
	Namespace, Name, Service string
	// Consumers by name.
	Consumers []*Cluster
	Rules     []Rule
	// MinHealthy in percent, 1 to 100.
	MinHealthy int32
	Outlier    *v1alpha1.OutlierDetection
	Accepted   []v1alpha1.AcceptedDegradation
	At         Place

	spec v1alpha1.TrafficPolicySpec
}

// Rule is one rule of a policy.
type Rule struct {
	// Label names the rule: its name, or its place from 0.
	Label   string
	Path    string
	Matches []v1alpha1.Match
	Timeout v1alpha1.Duration
	Retries *v1alpha1.Retries
	// Backends as written; none: every exporter, by distance.
	Backends []Backend
}

// Backend is the service in one cluster.
type Backend struct {
	Cluster  *Cluster
	Subset   map[string]string
	Weight   int64
	Priority int32
	// Path of the backend; of the service where the rule has no backends.
	Path string
}
