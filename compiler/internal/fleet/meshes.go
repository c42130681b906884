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
	home := b.lookUp(c.Set.speaks(), istio.ControlPlane, c.Path+".istio.controlPlane")
	if home == nil || home == c {
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

// checkMesh finds what is wrong with a cluster's control plane.
func (b *builder) checkMesh(c *Cluster) {
	home := c.Mesh.ControlPlane
	if home == nil {
		return
	}
	if c.Mesh.ambient {
		b.report(mistake{code: CodeProviders, at: c.At(".istio.mode"), fix: "write mode: sidecar, or another east-west provider"},
			"cluster %q: Istio's ambient mode is not supported: its waypoints route by other objects", c.Name)
	}
	if home == c {
		return
	}
	m := mistake{code: CodeControlPlane, at: c.At(".istio.controlPlane"), fix: "name the cluster whose istiod it is",
		related: also(home.At(".name"), "the cluster that is named")}
	switch {
	case home.Removed():
		m.related = also(home.At(".state"), "its state")
		b.report(m, "cluster %q is configured from %q, which is removed", c.Name, home.Name)
	case !home.Meshed():
		m.related = also(home.At(".providers"), "its providers")
		b.report(m, "cluster %q is configured from %q, which has no Istio", c.Name, home.Name)
	case home.Mesh.ControlPlane != home:
		m.related = also(home.At(".istio.controlPlane"), "its own control plane")
		b.report(m, "cluster %q is configured from %q, which is itself configured from %q", c.Name, home.Name, home.Mesh.ControlPlane.Name)
	case c.Mesh.TrustDomain != home.Mesh.TrustDomain:
		b.report(mistake{code: CodeTrustDomain, at: c.At(".istio.trustDomain"), fix: "write the same, or leave it out",
			related: also(home.At(".istio.trustDomain"), "that of its control plane")},
			"cluster %q has trust domain %s, and its control plane in %q has %s: one istiod signs for one trust domain",
			c.Name, c.Mesh.TrustDomain, home.Name, home.Mesh.TrustDomain)
	}
}

// checkNetworks: pods of one network reach each other without a gateway, which
// only one control plane can tell its proxies.
func (b *builder) checkNetworks(s *Set) {
	first := map[string]*Cluster{}
	for _, c := range s.Clusters {
		home := c.Mesh.ControlPlane
		if home == nil {
			continue
		}
		other, ok := first[c.Mesh.Network]
		if !ok {
			first[c.Mesh.Network] = c
			continue
		}
		if other.Mesh.ControlPlane == home {
			continue
		}
		at, there := c, other
		if c.Mesh.Network == c.Name {
			at, there = other, c // the one that wrote the other's name
		}
		b.report(mistake{code: CodeMeshNetwork, at: at.At(".istio.network"), fix: "give each its own network, or one control plane",
			related: also(there.At(".istio.network"), "the other cluster")},
			"clusters %q and %q have network %q and different control planes (%s and %s)", at.Name, there.Name, c.Mesh.Network,
			at.Mesh.ControlPlane.Name, there.Mesh.ControlPlane.Name)
	}
}
