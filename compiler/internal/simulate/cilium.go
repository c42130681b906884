// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"math/big"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// Cilium answers requests as the agents of a Cluster Mesh do: a Service that is
// global has the pods of every cluster that shares its Service of that name, and
// every ready one gets the same part. Pods of a lost cluster count as gone, which
// Cilium leaves to whoever configures how long it believes a cluster.
type Cilium struct {
	ground Ground
	nodes  map[string]*clusterNodes
}

// clusterNodes is what the agents of one cluster see.
type clusterNodes struct {
	site Site
	// annotations of Services, by namespace/name.
	annotations map[string]map[string]string
	stubs       []corev1.Service
	// exported Services, by namespace/name.
	exported map[string]bool
	policies []networkPolicy
}

// NewCilium reads the objects of every cluster.
func NewCilium(g Ground, stores []manifest.Bundle) *Cilium {
	out := &Cilium{ground: g, nodes: map[string]*clusterNodes{}}
	for name, site := range g.Sites {
		out.nodes[name] = &clusterNodes{site: site, annotations: map[string]map[string]string{}, exported: map[string]bool{}}
	}
	for _, b := range stores {
		n := out.nodes[b.Store]
		if n == nil {
			continue
		}
		for _, o := range b.Objects() {
			n.add(o.Unstructured().Object)
		}
		for _, c := range b.Claims() {
			if r := c.Ref(); r.Kind == "Service" && r.APIVersion == "v1" {
				n.annotations[r.Namespace+"/"+r.Name] = c.Annotations()
			}
		}
	}
	return out
}

func (n *clusterNodes) add(content map[string]any) {
	switch kind, _ := content["kind"].(string); kind {
	case "Service":
		var s corev1.Service
		if decode(content, &s) {
			n.stubs = append(n.stubs, s)
			n.annotations[s.Namespace+"/"+s.Name] = s.Annotations
		}
	case "ServiceExport":
		var s corev1.ObjectReference
		if text, err := json.Marshal(content["metadata"]); err == nil && json.Unmarshal(text, &s) == nil {
			n.exported[s.Namespace+"/"+s.Name] = true
		}
	case "CiliumNetworkPolicy":
		var p networkPolicy
		if decode(content, &p) {
			n.policies = append(n.policies, p)
		}
	}
}

// The annotations of a Service, and how they are set.
const (
	annotationGlobal   = "service.cilium.io/global"
	annotationShared   = "service.cilium.io/shared"
	annotationAffinity = "service.cilium.io/affinity"
	yes, never         = "true", "false"
)

// has tells whether a cluster has a Service with a port.
func (n *clusterNodes) has(key name, r Request) bool {
	svc, there := n.site.service(key.namespace, key.service)
	if there {
		return slices.ContainsFunc(svc.Ports, func(p inventoryPort) bool { return r.to(p.Port, p.Transport) })
	}
	return slices.ContainsFunc(n.stubs, func(s corev1.Service) bool {
		return s.Namespace == key.namespace && s.Name == key.service &&
			slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return r.to(p.Port, string(p.Protocol)) })
	})
}

// to tells whether a request goes to a port.
func (r Request) to(port int32, protocol string) bool {
	return port == r.Port && (protocol == string(transport(r)) || protocol == "")
}

// Answer computes what a connection from a pod gets.
func (c *Cilium) Answer(w World, r Request) Answer {
	n := c.nodes[r.From.Cluster]
	if n == nil || w.lost(r.From.Cluster) {
		return ended(Unreachable, "the caller's cluster is lost").Early
	}
	to, ok := parse(r.Host, r.From.Namespace, n.site.Domain)
	switch {
	case !ok:
		return ended(NoRoute, r.Host+" is no name of a Service").Early
	case to.clusterSet && !n.site.Adopts:
		return ended(NoRoute, "nothing answers to the clusterset name").Early
	case !to.clusterSet && n.site.Observed && !n.has(to, r):
		return ended(NoRoute, "there is no such Service").Early
	}
	b := balance{Cilium: c, world: w, request: r, to: to}
	if to.clusterSet && !b.anywhere() {
		return ended(NoRoute, "no cluster exports it").Early
	}
	return b.answer(n)
}

// balance is one connection on its way to a pod.
type balance struct {
	*Cilium
	world   World
	request Request
	to      name
}

// answer gathers the pods and gives each the same part.
func (b balance) answer(home *clusterNodes) Answer {
	own := home.annotations[b.to.namespace+"/"+b.to.service]
	var local, remote []backing
	for cluster, n := range b.nodes {
		if found := b.pods(n); cluster == home.site.Cluster && (!b.to.clusterSet || b.offers(n)) {
			local = found
		} else if b.offers(n) && (b.to.clusterSet || own[annotationGlobal] == yes) && n.site.EastWest == home.site.EastWest {
			remote = append(remote, found...)
		}
	}
	chosen := append(slices.Clone(local), remote...)
	switch {
	case b.to.clusterSet:
	case own[annotationAffinity] == "local" && len(local) > 0:
		chosen = local
	case own[annotationAffinity] == "remote" && len(remote) > 0:
		chosen = remote
	}
	total := zero()
	for _, p := range chosen {
		total.Add(total, p.ready)
	}
	var shares []Share
	shut := false
	for _, p := range chosen {
		if !b.nodes[p.cluster].admits(b, p.Workload) {
			shut = true
			continue
		}
		shares = append(shares, Share{Cluster: p.cluster, Namespace: b.to.namespace, Service: b.to.service, Port: b.request.Port, Part: new(big.Rat).Quo(p.ready, total)})
	}
	out := Answer{}.step(noPlace, "Service %s/%s with %v", b.to.namespace, b.to.service, own).serve(shares)
	if out.Verdict == Unreachable && shut {
		out.Verdict = Refused
	}
	return out
}

// anywhere tells whether any cluster offers the Service.
func (b balance) anywhere() bool {
	for _, n := range b.nodes {
		if b.offers(n) {
			return true
		}
	}
	return false
}

// offers tells whether a cluster gives the pods of its Service to others. An export
// of a Service that is not there is none (KEP-1645).
func (b balance) offers(n *clusterNodes) bool {
	key := b.to.namespace + "/" + b.to.service
	if b.to.clusterSet {
		return n.exported[key] && n.site.mayHave(b.to)
	}
	a := n.annotations[key]
	return a[annotationGlobal] == yes && a[annotationShared] != never
}

// backing are ready pods of one kind.
type backing struct {
	inventory.Workload
	cluster string
	ready   *big.Rat
}

// pods are those of a cluster that are ready.
func (b balance) pods(n *clusterNodes) []backing {
	if b.world.lost(n.site.Cluster) {
		return nil
	}
	svc, _ := n.site.service(b.to.namespace, b.to.service)
	var out []backing
	for _, w := range svc.Workloads {
		if ready := b.world.ready(pods{n.site.Cluster, b.to.namespace, b.to.service, w.Labels}); ready.Sign() > 0 {
			out = append(out, backing{w, n.site.Cluster, ready})
		}
	}
	return out
}
