// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/apply"
	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// kinds are those that the compiler asks about: all that Fairlead writes and
// that need a custom resource, and what its agents announce.
func kinds() []schema.GroupKind {
	return []schema.GroupKind{
		{Group: v1alpha1.Group, Kind: v1alpha1.KindAppliedBundle},
		{Group: v1alpha1.Group, Kind: v1alpha1.KindDataplane},
		{Group: v1alpha1.Group, Kind: v1alpha1.KindNodeState},
		{Group: v1alpha1.Group, Kind: v1alpha1.KindServiceRoute},
		{Group: "cilium.io", Kind: "CiliumNetworkPolicy"},
		{Group: "gateway.envoyproxy.io", Kind: "Backend"},
		{Group: "gateway.envoyproxy.io", Kind: "BackendTrafficPolicy"},
		{Group: "gateway.envoyproxy.io", Kind: "HTTPRouteFilter"},
		{Group: "gateway.envoyproxy.io", Kind: "SecurityPolicy"},
		{Group: "gateway.networking.k8s.io", Kind: "GRPCRoute"},
		{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"},
		{Group: "gateway.networking.k8s.io", Kind: "ReferenceGrant"},
		{Group: "gateway.networking.k8s.io", Kind: "TCPRoute"},
		{Group: "gateway.networking.k8s.io", Kind: "TLSRoute"},
		{Group: "gateway.networking.k8s.io", Kind: "UDPRoute"},
		{Group: "multicluster.x-k8s.io", Kind: "ServiceExport"},
		{Group: "multicluster.x-k8s.io", Kind: "ServiceImport"},
		{Group: "networking.istio.io", Kind: "DestinationRule"},
		{Group: "networking.istio.io", Kind: "Gateway"},
		{Group: "networking.istio.io", Kind: "ServiceEntry"},
		{Group: "networking.istio.io", Kind: "VirtualService"},
	}
}

// lister reads one cluster.
type lister struct {
	client     kube.Client
	clusterSet string
}

// found is what one kind had to tell.
type found struct {
	foreign []inventory.Object
	exports []inventory.Name
	nodes   []inventory.Node
	own     own
}

// own holds the objects of Fairlead that name what was allotted.
type own struct {
	dataplanes []v1alpha1.Dataplane
	routes     []v1alpha1.ServiceRoute
	// virtual are the clusterset IPs of services, and of their parts.
	virtual []virtual
}

// virtual is a name of the ledger and the addresses that an object gives it.
type virtual struct {
	key       string
	addresses []string
}

// served returns the kinds that the server has, of those that matter.
func (l *lister) served() ([]schema.GroupVersionKind, error) {
	var served []schema.GroupVersionKind
	for _, kind := range kinds() {
		mapping, err := l.client.Mapper.RESTMapping(kind)
		switch {
		case err == nil:
			served = append(served, mapping.GroupVersionKind)
		case !meta.IsNoMatchError(err):
			return nil, err
		}
	}
	return served, nil
}

// kind reads all objects of one kind.
func (l *lister) kind(ctx context.Context, kind schema.GroupVersionKind, give func(found)) error {
	resource, err := l.client.Resource(kind, "")
	if err != nil {
		return err
	}
	var f found
	for o, err := range kube.List(ctx, resource, "") {
		if err != nil {
			return fmt.Errorf("list %s: %w", kind.Kind, err)
		}
		if err := l.sort(o, &f); err != nil {
			return err
		}
	}
	give(f)
	return nil
}

// sort puts one object where it belongs. AppliedBundles are records, not
// configuration; an object that carries our label is ours; everything else of
// these kinds is somebody else's.
func (l *lister) sort(o *unstructured.Unstructured, f *found) error {
	ours := o.GetLabels()[applyset.LabelPartOf] == applyset.ID(l.clusterSet)
	switch kind := o.GetKind(); {
	case kind == v1alpha1.KindAppliedBundle:
		return nil
	case kind == v1alpha1.KindNodeState:
		var state v1alpha1.NodeState
		if err := decode(o, &state); err != nil {
			return err
		}
		f.nodes = append(f.nodes, node(state))
		return nil
	case ours && kind == v1alpha1.KindDataplane:
		f.own.dataplanes = append(f.own.dataplanes, v1alpha1.Dataplane{})
		return decode(o, &f.own.dataplanes[len(f.own.dataplanes)-1])
	case ours && kind == v1alpha1.KindServiceRoute:
		f.own.routes = append(f.own.routes, v1alpha1.ServiceRoute{})
		return decode(o, &f.own.routes[len(f.own.routes)-1])
	case ours:
		if v, ok := virtualOf(o); ok {
			f.own.virtual = append(f.own.virtual, v)
		}
		return nil
	case kind == "ServiceExport":
		// Our own exports do not count as existing: a policy that does not
		// say who exports would keep alive what it once wrote.
		f.exports = append(f.exports, inventory.Name{Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	f.foreign = append(f.foreign, foreign(o))
	return nil
}

func decode(o *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		return fmt.Errorf("read %s: %w", apply.RefOf(o), err)
	}
	return nil
}

func node(state v1alpha1.NodeState) inventory.Node {
	n := inventory.Node{Name: state.Name, PublicKey: state.Spec.PublicKey}
	for _, a := range state.Spec.Addresses {
		n.Addresses = append(n.Addresses, string(a))
	}
	return n
}

// foreign describes an object of somebody else.
func foreign(o *unstructured.Unstructured) inventory.Object {
	hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hosts")
	if o.GetKind() == "Gateway" {
		hosts = gatewayHosts(o)
	}
	return inventory.Object{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(),
		Owner: apply.Owner(o), Hosts: hosts}
}

// gatewayHosts returns the hosts of all servers of an Istio gateway.
func gatewayHosts(o *unstructured.Unstructured) []string {
	servers, _, _ := unstructured.NestedSlice(o.Object, "spec", "servers")
	var hosts []string
	for _, s := range servers {
		server, _ := s.(map[string]any)
		list, _, _ := unstructured.NestedStringSlice(server, "hosts")
		hosts = append(hosts, list...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// ourStub tells whether a Service was made by Fairlead, so that its name resolves
// where the service itself is not.
func (l *lister) ourStub(o *unstructured.Unstructured) bool {
	return o.GetLabels()[applyset.LabelPartOf] == applyset.ID(l.clusterSet) && o.GetLabels()[manifest.LabelManagedBy] == manifest.ManagedBy
}
