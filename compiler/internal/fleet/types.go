// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/netip"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fingerprint"
	"github.com/fairlead/fairlead/compiler/internal/source"
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
	// Parts that gateways send requests to, by namespace, name and set.
	Parts []*Part
	// Allocations in use, sorted.
	Allocations []inventory.Allocation
	// Quarantined facts, by cluster and fact.
	Quarantined []Quarantined
	// Missing is what documents speak of and clusters do not have, by cluster,
	// policy and message.
	Missing []Missing

	// partOf finds Parts by what they are of.
	partOf map[string]*Part
}

// Missing is one thing that a cluster does not have (yet). It rejects nothing.
type Missing struct {
	// Cluster whose callers or pods it concerns.
	Cluster *Cluster
	// Policy that speaks of it; nil where its ClusterSet does.
	Policy *Policy
	// Message names both sources, in one line.
	Message string
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
	// Virtual6 is the range of IPv6 clusterset IPs; not valid where there is none.
	Virtual6  netip.Prefix
	Driver    v1alpha1.Driver
	Translate v1alpha1.Translation
	// MTU in bytes; zero: found by the agents.
	MTU int32
	// Topology is never empty.
	Topology v1alpha1.TopologyMode
	egress   *v1alpha1.Egress
	// Deny: a service whose policies say nothing of access lets nobody in.
	Deny     bool
	Defaults v1alpha1.Defaults
	// Stages of a rollout, in order; every cluster is in exactly one. None: all
	// clusters change at once.
	Stages []Stage
	// Clusters by name.
	Clusters []*Cluster
	At       Place

	tenants []v1alpha1.Tenant
	// named finds clusters; nil in a set that is still read.
	named map[string]*Cluster
}

// Stage is a set of clusters that change together.
type Stage struct {
	Name     string
	Clusters []*Cluster
	Soak     v1alpha1.Duration
}

// Cluster returns a member by name, nil where there is none.
func (s *Set) Cluster(name string) *Cluster {
	if s.named != nil {
		return s.named[name]
	}
	for _, c := range s.Clusters {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Cluster is a member of a Set.
type Cluster struct {
	Set                *Set
	Name, Region, Zone string
	// API is the way to its API server; exactly one of its fields is set.
	API            v1alpha1.ClusterAPI
	Labels         map[string]string
	State          v1alpha1.ClusterState
	EastWest       v1alpha1.EastWestProvider
	NorthSouth     v1alpha1.NorthSouthProvider
	Discovery      v1alpha1.DiscoveryProvider
	Tunnel         v1alpha1.TunnelProvider
	Pods, Services []netip.Prefix
	// Global is the cluster's part of the set's range; not valid where the
	// cluster has no tunnels.
	Global netip.Prefix
	// Egress are the pools that callers are seen under in the Hidden clusters, in
	// order, Mapped the ranges of pods that are translated one to one.
	Egress   []EgressPool
	Mapped   []PrefixPair
	Gateways []*Gateway
	Mesh     Mesh
	Facts    Facts
	// Joined are the clusters that the topology joins this one with, by name,
	// this one included.
	Joined []*Cluster
	// Path of the cluster in its ClusterSet.
	Path string

	// pinned is Global as git has it.
	pinned netip.Prefix
	// place of the cluster among those of its set, and joined: with which of them.
	place  int
	joined []bool
}

// Tunnels tells whether Fairlead joins the cluster to others.
func (c *Cluster) Tunnels() bool { return c.Tunnel == v1alpha1.TunnelFairlead && !c.Removed() }

// Mesh describes the Istio of a cluster.
type Mesh struct {
	TrustDomain string
	// RootNamespace is where istiod and its gateways are.
	RootNamespace string
	// Network of the pods; never empty.
	Network string
	// ControlPlane is the cluster whose istiod configures this one's proxies;
	// nil where there is no mesh.
	ControlPlane *Cluster
	// Strict: every pod with a sidecar refuses clear text.
	Strict bool
	// Gateway is nil where the cluster lets nobody in.
	Gateway *MeshGateway
}

// MeshGateway is an east-west gateway.
type MeshGateway struct {
	// Service of the gateway, in the root namespace.
	Service   string
	Selector  map[string]string
	Addresses []netip.Addr
	Port      int32
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

// Facts is what a cluster said of itself. Its Services are sorted by name, one
// of each.
type Facts struct {
	State State
	inventory.Cluster
	// Unmeshed are those of the policies' namespaces where Services have pods and
	// none of them a sidecar, sorted.
	Unmeshed []string
}

// Service finds a Service that was observed.
func (f *Facts) Service(namespace, name string) (inventory.Service, bool) {
	i, ok := slices.BinarySearchFunc(f.Services, inventory.Name{Namespace: namespace, Name: name}, compareService)
	if !ok {
		return inventory.Service{}, false
	}
	return f.Services[i], true
}

func compareService(s inventory.Service, name inventory.Name) int { return s.Name.Compare(name) }

// WithoutServices returns everything but the Services and ServiceExports.
func (f Facts) WithoutServices() Facts {
	f.Services, f.Exports = nil, nil
	return f
}

// Service is what all policies of one service say.
type Service struct {
	Set             *Set
	Namespace, Name string
	// Producer is the policy whose fragments hold the exports.
	Producer *Policy
	// Policies by name.
	Policies []*Policy
	// Exporters by name; all of them active.
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
	// Access is nil where the service stays untouched.
	Access *Access
	// HealthCheck is nil where readiness decides.
	HealthCheck *v1alpha1.HealthCheck
	// Virtual6 is the IPv6 clusterset IP; not valid where there is none.
	Virtual6 netip.Addr
	// Virtual is the clusterset IP, Parts the address of each cluster's part of
	// it, Exports the export address, by cluster.
	Virtual netip.Addr
	Parts   map[string]netip.Addr
	Exports map[string]netip.Addr

	// Sum identifies the documents of the policies and what was observed of the
	// Service. It is zero without a Memory.
	Sum fingerprint.Sum

	// Senders are the policies of other services that send requests here, by
	// service and name.
	Senders []Sender

	// key is what Key returns: it is asked for often.
	key string
	// leaving would be exporters if their state let them.
	leaving []*Cluster
	shown   []Sighting
}

// Sender is a policy of another service whose rules name this one.
type Sender struct {
	Service *Service
	Policy  *Policy
}

// PortsGiven tells whether a policy lists the ports.
func (s *Service) PortsGiven() bool { return s.PortsFrom != nil }

// Key is namespace/name.
func (s *Service) Key() string { return s.key }

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
	// Target is the port of the pods; zero where it is not known.
	Target int32
	// Path of the port in the policy that gives it; empty where it was observed.
	Path string
}

// Access says who may call a service.
type Access struct {
	// Allow: a caller that meets any of these may call; none: nobody may.
	Allow []AccessRule
	// By is the policy that says so; nil where the set's default does.
	By *Policy
}

// AccessRule is an entry of an access block with its clusters resolved.
type AccessRule struct {
	v1alpha1.AccessRule
	// Clusters by name; none: any of the set.
	Clusters []*Cluster
	Path     string
}

// Policy is a TrafficPolicy.
type Policy struct {
	Set                      *Set
	Namespace, Name, Service string
	// Consumers by name.
	Consumers []*Cluster
	// Mesh: the policy governs the pods of its consumers.
	Mesh bool
	// Gateways are the frontends at gateways.
	Gateways []Frontend
	Rules    []Rule
	// Names under which the service is governed. Cluster: those that end in
	// cluster.local.
	Names Names
	// MinHealthy in percent, 1 to 100.
	MinHealthy    int32
	FailbackDelay v1alpha1.Duration
	// Resilience and LoadBalancing are of the policy, or of the set's defaults.
	Resilience    v1alpha1.Resilience
	LoadBalancing v1alpha1.LoadBalancing
	// TLS is never empty.
	TLS      v1alpha1.TLSMode
	Accepted []v1alpha1.AcceptedDegradation
	// Defaulted are the blocks that are the set's and not the policy's.
	Defaulted Defaulted
	At        Place
	// Document that says so.
	Document source.Identity

	spec  v1alpha1.TrafficPolicySpec
	allow []AccessRule
}

// Defaulted tells what comes from the set's defaults. A provider that does not
// have it does without: nobody asked for it in the policy.
type Defaulted struct {
	Failover, Resilience, LoadBalancing bool
}

// Names says which names of a service a policy governs. Asked: the policy says
// so itself.
type Names struct {
	Cluster, ClusterSet, Asked bool
}

// Frontend is a gateway at which requests come in.
type Frontend struct {
	Namespace, Name, Listener string
	Hostnames                 []v1alpha1.Hostname
	Path                      string
}

// Rule is one rule of a policy, as written, with the set's defaults filled in.
type Rule struct {
	v1alpha1.Rule
	// Label names the rule: its name, or its place from 0.
	Label string
	Path  string
	// Backends as written; none: every exporter, by distance, unless the rule
	// answers by itself.
	Backends []Backend
	// Mirror is nil where nothing is copied.
	Mirror *Backend
	// DefaultTimeout and DefaultRetries: they are the set's and not the
	// policy's, and apply only where requests are carried.
	DefaultTimeout, DefaultRetries bool
}

// Answers tells whether the rule answers requests by itself.
func (r Rule) Answers() bool { return r.Redirect != nil || r.DirectResponse != nil }

// Backend is a service in one cluster.
type Backend struct {
	Cluster *Cluster
	// Namespace and Service are empty for the policy's own, Port is zero for the
	// port that was called.
	Namespace, Service string
	Port               int32
	// Other is the service that these name; nil for the policy's own.
	Other    *Service
	Subset   map[string]string
	Weight   int64
	Priority int32
	// Lost: the state of the cluster lets nothing be sent there. Its share goes
	// where that of a cluster goes that is dead.
	Lost bool
	// Path of the backend; of the service where the rule has no backends.
	Path string
}
