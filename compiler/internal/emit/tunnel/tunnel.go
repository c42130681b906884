// SPDX-License-Identifier: Apache-2.0

package tunnel

import (
	"net/netip"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Emit returns the Dataplane, or nothing where the cluster has no tunnels.
func Emit(p plan.Plan) []manifest.Fragment {
	t := p.Tunnel
	if t == nil {
		return nil
	}
	spec := v1alpha1.DataplaneSpec{Cluster: p.Store, Driver: t.Driver, MTU: t.MTU, PodCIDRs: cidrs(t.Pods),
		GlobalCIDR: v1alpha1.CIDR(t.Global.String()), ClusterSetCIDR: v1alpha1.CIDR(t.Virtual.String())}
	spec.Translation = translation(t.Translation)
	for _, g := range t.Gateways {
		out := v1alpha1.LocalGateway{Name: g.Name, Node: g.Node, NodeAddresses: addresses(g.Addresses),
			TunnelAddress: v1alpha1.Address(g.Tunnel.String()), Port: g.Port}
		if g.LastPort > g.Port {
			out.LastPort = g.LastPort
		}
		spec.Gateways = append(spec.Gateways, out)
	}
	for _, peer := range t.Peers {
		out := v1alpha1.Peer{Cluster: peer.Cluster, Gateway: peer.Gateway, PublicKey: peer.Key,
			TunnelAddress: v1alpha1.Address(peer.Tunnel.String()), Prefixes: cidrs(peer.Prefixes)}
		for _, e := range peer.Endpoints {
			out.Endpoints = append(out.Endpoints, e.String())
		}
		for _, e := range peer.Private {
			out.PrivateEndpoints = append(out.PrivateEndpoints, e.String())
		}
		spec.Peers = append(spec.Peers, out)
	}
	o := manifest.Must(&v1alpha1.Dataplane{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindDataplane},
		ObjectMeta: metav1.ObjectMeta{Name: p.ClusterSet}, Spec: spec})
	return []manifest.Fragment{{ID: t.Fragment, Objects: []manifest.Object{o}}}
}

// translation is nil where there is none.
func translation(t *plan.Translation) *v1alpha1.CallerTranslation {
	if t == nil {
		return nil
	}
	out := &v1alpha1.CallerTranslation{Mode: t.Mode, Toward: t.Toward}
	for _, p := range t.Egress {
		out.Egress = append(out.Egress, v1alpha1.EgressAddresses{Name: p.Name, Namespaces: p.Namespaces, PodLabels: p.Labels, Addresses: addresses(p.Addresses)})
	}
	for _, p := range t.Prefixes {
		out.Prefixes = append(out.Prefixes, v1alpha1.PrefixTranslation{PodCIDR: v1alpha1.CIDR(p.Pods.String()), Global: v1alpha1.CIDR(p.Global.String())})
	}
	return out
}

func cidrs(ps []netip.Prefix) []v1alpha1.CIDR {
	var out []v1alpha1.CIDR
	for _, p := range ps {
		out = append(out, v1alpha1.CIDR(p.String()))
	}
	return out
}

func addresses(as []netip.Addr) []v1alpha1.Address {
	var out []v1alpha1.Address
	for _, a := range as {
		out = append(out, v1alpha1.Address(a.String()))
	}
	return out
}
