// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// defaultGatewayLabels select the pods of the east-west gateway that Istio's
// installation guide makes.
var defaultGatewayLabels = map[string]string{"istio": "eastwestgateway"}

// defaultTrustDomain is what Istio itself takes where none is configured.
const defaultTrustDomain = "cluster.local"

func mesh(istio *v1alpha1.Istio) Mesh {
	out := Mesh{TrustDomain: defaultTrustDomain, RootNamespace: v1alpha1.DefaultRootNamespace}
	if istio == nil {
		return out
	}
	out.TrustDomain, out.RootNamespace = cmp.Or(istio.TrustDomain, out.TrustDomain), cmp.Or(istio.RootNamespace, out.RootNamespace)
	out.Network, out.Strict = istio.Network, istio.MutualTLS == "strict"
	if g := istio.EastWestGateway; g != nil {
		out.Gateway = &MeshGateway{Service: cmp.Or(g.Service, v1alpha1.DefaultEastWestService), Selector: g.Selector, Addresses: addresses(g.Addresses), Port: cmp.Or(g.Port, v1alpha1.DefaultEastWestPort)}
		if len(g.Selector) == 0 {
			out.Gateway.Selector = defaultGatewayLabels
		}
	}
	return out
}

// Meshed tells whether istiod configures proxies of the cluster.
func (c *Cluster) Meshed() bool {
	return c.EastWest == v1alpha1.EastWestIstio || c.NorthSouth == v1alpha1.NorthSouthIstio
}

// controlPlane finds whose istiod configures a cluster's proxies. What a member
// leaves out is as in the cluster of its control plane.
func (b *builder) controlPlane(c *Cluster, istio *v1alpha1.Istio) {
	if !c.Meshed() || c.Removed() {
		return
	}
	c.Mesh.ControlPlane = c
	if istio == nil || istio.ControlPlane == "" {
		return
	}
	home := c.Set.Cluster(istio.ControlPlane)
	if home == nil {
		return
	}
	c.Mesh.ControlPlane = home
	if istio.TrustDomain == "" {
		c.Mesh.TrustDomain = home.Mesh.TrustDomain
	}
	if istio.RootNamespace == "" {
		c.Mesh.RootNamespace = home.Mesh.RootNamespace
	}
}

// checkNetworks: a network that is left out has the name of its cluster, which
// no cluster of another control plane may take.
func (b *builder) checkNetworks(s *Set) {
	for _, c := range s.Clusters {
		other := s.Cluster(c.Mesh.Network)
		if other == nil || other == c || c.Mesh.ControlPlane == nil || other.Mesh.ControlPlane == nil ||
			other.Mesh.Network != other.Name || other.Mesh.ControlPlane == c.Mesh.ControlPlane {
			continue
		}
		b.report(mistake{code: CodeMeshNetwork, at: c.At(".istio.network"), fix: "give each its own network, or one control plane",
			related: also(other.At(".istio"), "the other cluster")},
			"cluster %q has network %q, which is that of cluster %q, and they have different control planes", c.Name, c.Mesh.Network, other.Name)
	}
}
