// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Emit returns the objects that the istiod of a store reads, and what the
// cluster of the store needs for one that is elsewhere.
func Emit(p plan.Plan) []manifest.Fragment {
	out := member(p)
	if p.Mesh == nil {
		return out
	}
	if p.Mesh.Strict {
		out = append(out, manifest.Fragment{ID: p.Mesh.Fragment, Objects: []manifest.Object{manifest.Must(strict(p.Mesh))}})
	}
	if len(p.Mesh.Members) > 1 {
		return append(out, shared(p)...)
	}
	for _, w := range works(p.Mesh) {
		e := &emitter{store: w.service.Cluster, domain: p.Domain, root: p.Mesh.RootNamespace, service: w.service, routes: w.routes}
		if w.mesh {
			e.imports()
		}
		e.gatewayRoutes()
		e.hosts()
		e.exports()
		e.homeRule()
		e.access()
		e.mutual()
		out = append(out, manifest.Fragment{ID: w.service.Fragment, Objects: e.objects})
	}
	return out
}

// work is what one policy asks of one cluster of a mesh.
type work struct {
	service plan.Service
	// mesh: the pods of the cluster call by this policy.
	mesh bool
	// routes at gateways of the cluster.
	routes []plan.Route
}

// works joins services and routes of the same policy and cluster. What a
// gateway does without the cluster's pods doing it is imported for it alone.
func works(m *plan.Mesh) []work {
	var out []work
	for _, s := range m.Services {
		out = append(out, work{service: s, mesh: s.Import != nil})
	}
	for _, r := range m.Routes {
		if r.Import == nil || !r.Import.Routed {
			continue
		}
		i := slices.IndexFunc(out, func(w work) bool { return w.service.Fragment == r.Fragment && w.service.Cluster == r.Cluster })
		if i < 0 {
			i = len(out)
			out = append(out, work{service: plan.Service{Fragment: r.Fragment, Cluster: r.Cluster, Namespace: r.Namespace, Name: r.Name, Policy: r.Policy, Ports: r.Ports}})
		}
		if out[i].service.Import == nil {
			out[i].service.Import = r.Import
		}
		out[i].routes = append(out[i].routes, r)
	}
	return out
}

// emitter gathers the objects of one service in one cluster.
type emitter struct {
	// store is the cluster whose callers and pods are meant, root the namespace
	// of the gateways of its mesh.
	store, domain, root string
	service             plan.Service
	routes              []plan.Route
	// networks: proxies of several networks read what is emitted.
	networks bool
	home     *host
	parts    []*host
	// entries are the subsets that callers elsewhere name.
	entries []entry
	objects []manifest.Object
}

// add takes in an object.
func (e *emitter) add(typed any) { e.objects = append(e.objects, manifest.Must(typed)) }

// meta names an object. Cluster names have no dots and do not begin with a
// dash, so that no two names can be the same, whatever policies are called.
func (e *emitter) meta(prefix string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: e.service.Namespace, Name: prefix + "." + e.service.Policy}
}

// The first labels of the names of objects.
const (
	mainName       = "fairlead"
	clusterSetName = "fairlead--clusterset"
)

func kind(name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: networking.SchemeGroupVersion.String(), Kind: name}
}

// ownHost is the Service's name inside a cluster.
func (e *emitter) ownHost() string {
	return fmt.Sprintf("%s.%s.svc.cluster.local", e.service.Name, e.service.Namespace)
}

// clusterSetHost is the Service's name in the whole set.
func (e *emitter) clusterSetHost() string {
	return fmt.Sprintf("%s.%s.svc.%s", e.service.Name, e.service.Namespace, e.domain)
}

// partHost is the name of one other cluster's part of the service.
func (e *emitter) partHost(cluster string) string {
	return fmt.Sprintf("%s.%s.svc.%s.%s", e.service.Name, e.service.Namespace, cluster, e.domain)
}

// digest returns eight hexadecimal digits of a text: short enough for a
// server name, and two texts of one service hardly ever share them.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// subsetPrefix begins the names of subsets that are ours.
const subsetPrefix = "fl-"

// subsetName names a chain on one port. A chain that begins with the caller's
// own pods is the caller's alone: its subset there also has the fallbacks.
func (e *emitter) subsetName(caller string, port plan.Port, c plan.Chain) string {
	owner := ""
	if c.Head.Local {
		owner = caller
	}
	return subsetPrefix + digest(fmt.Sprintf("%s/%s|%d|%s|%s", e.service.Namespace, e.service.Name, port.Number, owner, c.ID()))
}

// sni is the server name by which a gateway with AUTO_PASSTHROUGH finds the
// pods of a subset, in the form that Istio gives its Envoy clusters.
func (e *emitter) sni(h *host, port plan.Port, subset string) string {
	name := e.ownHost()
	if h.of != nil {
		name = h.of.host()
	}
	return fmt.Sprintf("outbound_.%d_.%s_.%s", port.Number, subset, name)
}
