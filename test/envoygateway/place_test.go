// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// replicas is how many pods of one kind a Service has in the gateways' cluster.
const replicas = 2

// place is a scenario that is up.
type place struct {
	*Server
	scenario
	local []*localService
	// servers by address and port.
	servers map[string]string
	// tracer asks the simulator; nil before something is compared.
	tracer *compiler.Tracer
}

// localService is a Service of the gateways' cluster.
type localService struct {
	object *unstructured.Unstructured
	pods   []Pods
	// addresses of the Service itself, by port.
	addresses []string
}

// world is what is lost, and how much of the pods in the gateways' own cluster
// is ready, of all replicas.
type world struct {
	lost  []string
	ready int
}

func (w world) String() string {
	return fmt.Sprintf("lost %v, %d of %d ready at home", w.lost, w.ready, replicas)
}

// fine is when nothing is wrong.
var fine = world{ready: replicas}

// bringUp applies a scenario, with the Gateways that it is for and the Services
// that its cluster has, and waits until all of it is accepted.
func bringUp(t testing.TB, s *Server, sc scenario) *place {
	t.Helper()
	p := &place{Server: s, scenario: sc, servers: map[string]string{}}
	t.Cleanup(func() { p.takeDown(t) })
	facts, _ := sc.inv.Find(sc.store)
	for _, svc := range facts.Services {
		ports := []any{}
		for _, q := range svc.Ports {
			ports = append(ports, map[string]any{"name": q.Name, "port": int64(q.Port), "targetPort": int64(q.TargetPort), "protocol": q.Transport})
		}
		p.serve(t, svc, nil, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{"namespace": svc.Namespace, "name": svc.Name.Name}, "spec": map[string]any{"ports": ports}}})
	}
	for _, b := range sc.result.Bundles {
		for _, o := range b.Objects() {
			switch u := o.Unstructured(); {
			case u.GetKind() == "ServiceRoute" && b.Store != sc.store:
				p.remote(b.Store, u)
			case u.GetKind() == "Service" && b.Store == sc.store:
				svc, subset := p.chosen(sc.store, u)
				p.serve(t, svc, subset, u)
			}
		}
	}
	for gateway, listeners := range p.gateways() {
		namespace, name, _ := strings.Cut(gateway, "/")
		s.Gateway(t, namespace, name, listeners)
	}
	s.ApplyResult(t, sc.result, sc.store, slices.ContainsFunc(p.local, func(l *localService) bool { return len(l.pods) == 0 }))
	return p
}

// takeDown removes everything, so that another scenario may use the same names.
func (p *place) takeDown(t testing.TB) {
	t.Helper()
	for _, b := range p.result.Bundles {
		if b.Store != p.store {
			continue
		}
		for _, o := range b.Objects() {
			p.Delete(t, o.Unstructured())
		}
	}
	for _, l := range p.local {
		p.Delete(t, l.object)
	}
	for gateway := range p.gateways() {
		namespace, name, _ := strings.Cut(gateway, "/")
		p.Delete(t, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
			"metadata": map[string]any{"namespace": namespace, "name": name}}})
	}
	for _, slice := range p.made {
		p.Delete(t, slice)
	}
	p.made, p.fed = nil, nil
}

// serve makes a Service with pods of each kind that a subset of the user's own
// has.
func (p *place) serve(t testing.TB, svc inventory.Service, subset map[string]string, object *unstructured.Unstructured) {
	l := &localService{object: object}
	for _, w := range svc.Workloads {
		if !has(w.Labels, subset) {
			continue
		}
		var pods Pods
		for i := range replicas {
			pods.Addresses = append(pods.Addresses, fmt.Sprintf("10.1.%d.%d", len(p.local), 1+i+replicas*len(l.pods)))
		}
		pods.Ready = replicas
		l.pods = append(l.pods, pods)
		for _, address := range pods.Addresses {
			for port, number := range targetPorts(object) {
				p.servers[fmt.Sprintf("%s:%d", address, port)] = serverName(share(p.store, svc, subset, number))
			}
		}
	}
	p.local = append(p.local, l)
	p.Serve(t, object, l.pods...)
	ip, _, _ := unstructured.NestedString(p.get(t, object).Object, "spec", "clusterIP")
	for _, number := range targetPorts(object) {
		at := fmt.Sprintf("%s:%d", ip, number)
		l.addresses = append(l.addresses, at)
		p.servers[at] = serverName(share(p.store, svc, subset, number))
	}
}

// targetPorts are the ports of the pods of a Service, and those of the Service
// that lead there.
func targetPorts(service *unstructured.Unstructured) map[int64]int64 {
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	out := map[int64]int64{}
	for _, q := range ports {
		port := q.(map[string]any)
		number := asNumber(port["port"])
		target := number
		if n := asNumber(port["targetPort"]); n != 0 {
			target = n
		}
		out[target] = number
	}
	return out
}

// remote notes who is behind an export address.
func (p *place) remote(cluster string, route *unstructured.Unstructured) {
	addresses, _, _ := unstructured.NestedStringSlice(route.Object, "spec", "export", "addresses")
	ports, _, _ := unstructured.NestedSlice(route.Object, "spec", "ports")
	svc, subset := p.behind(cluster, route)
	for _, address := range addresses {
		for _, q := range ports {
			number := asNumber(q.(map[string]any)["port"])
			p.servers[fmt.Sprintf("%s:%d", address, number)] = serverName(share(cluster, svc, subset, number))
		}
	}
}

// behind finds the user's Service that a route exports, and the labels by which
// the emitted Service of that name chooses among its pods.
func (p *place) behind(cluster string, route *unstructured.Unstructured) (inventory.Service, map[string]string) {
	service, _, _ := unstructured.NestedString(route.Object, "spec", "service")
	for _, b := range p.result.Bundles {
		for _, o := range b.Objects() {
			if u := o.Unstructured(); b.Store == cluster && u.GetKind() == "Service" && u.GetNamespace() == route.GetNamespace() && u.GetName() == service {
				return p.chosen(cluster, u)
			}
		}
	}
	return inventory.Service{Name: inventory.Name{Namespace: route.GetNamespace(), Name: service}}, nil
}

// chosen finds the user's Service of whose pods an emitted Service chooses, and
// by which labels.
func (p *place) chosen(cluster string, service *unstructured.Unstructured) (inventory.Service, map[string]string) {
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	facts, _ := p.inv.Find(cluster)
	for _, svc := range facts.Services {
		if svc.Namespace != service.GetNamespace() || len(svc.Selector) == 0 || !has(selector, svc.Selector) {
			continue
		}
		subset := maps.Clone(selector)
		for name := range svc.Selector {
			delete(subset, name)
		}
		return svc, subset
	}
	return inventory.Service{}, nil
}

// has tells whether labels have all others.
func has(labels, others map[string]string) bool {
	for name, value := range others {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// share is of some pods of a user's Service.
func share(cluster string, svc inventory.Service, subset map[string]string, port int64) compiler.TraceShare {
	return compiler.TraceShare{Cluster: cluster, Namespace: svc.Namespace, Service: svc.Name.Name, Subset: subset, Port: int32(port)}
}

// serverName names pods in the words of a trace.
func serverName(s compiler.TraceShare) string {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(s.Subset)) {
		labels = append(labels, name+"="+s.Subset[name])
	}
	return fmt.Sprintf("%s/%s/%s/%s:%d", s.Cluster, s.Namespace, s.Service, strings.Join(labels, ","), s.Port)
}

// gateways are those that routes are for, as namespace/name, with the names of
// their listeners by the kind of routes that name them.
func (p *place) gateways() map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, b := range p.result.Bundles {
		if b.Store != p.store {
			continue
		}
		for _, o := range b.Objects() {
			u := o.Unstructured()
			parents, _, _ := unstructured.NestedSlice(u.Object, "spec", "parentRefs")
			for _, one := range parents {
				ref := one.(map[string]any)
				text := func(field string) string { s, _ := ref[field].(string); return s }
				gateway := cmp.Or(text("namespace"), u.GetNamespace()) + "/" + text("name")
				if out[gateway] == nil {
					out[gateway] = map[string]string{}
				}
				if listener := text("sectionName"); listener != "" {
					kind := map[string]string{"GRPCRoute": "HTTPRoute"}[u.GetKind()]
					out[gateway][cmp.Or(kind, u.GetKind())] = listener
				}
			}
		}
	}
	return out
}

// become makes a world true.
func (p *place) become(t testing.TB, w world) Ground {
	t.Helper()
	p.FeedAll(t, p.result, p.store, w.lost...)
	for _, l := range p.local {
		for i := range l.pods {
			l.pods[i].Ready = w.ready
		}
		p.Serve(t, l.object, l.pods...)
	}
	out := Ground{Servers: p.servers, Dead: map[string]bool{}}
	for address, server := range p.servers {
		cluster, _, _ := strings.Cut(server, "/")
		out.Dead[address] = slices.Contains(w.lost, cluster)
	}
	for _, l := range p.local {
		for _, address := range l.addresses {
			out.Dead[address] = w.ready == 0 // a Service without anybody who is ready refuses
		}
	}
	return out
}

// worlds are those that matter to a scenario.
func (p *place) worlds() []world {
	out := []world{fine}
	var others []string
	for _, e := range Exports(p.result) {
		if e.Cluster != p.store && !slices.Contains(others, e.Cluster) {
			others = append(others, e.Cluster)
		}
	}
	slices.Sort(others)
	for _, c := range others {
		out = append(out, world{[]string{c}, replicas})
	}
	if len(others) > 1 {
		out = append(out, world{others, replicas})
	}
	if slices.ContainsFunc(p.local, func(l *localService) bool { return len(l.pods) > 0 }) {
		out = append(out, world{nil, replicas / 2}, world{others[:min(1, len(others))], 0})
	}
	return out
}
