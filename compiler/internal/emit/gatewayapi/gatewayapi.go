// SPDX-License-Identifier: Apache-2.0

package gatewayapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Emit returns the routes at the store's own gateways, and the parts that
// gateways of any cluster refer to.
func Emit(p plan.Plan) []manifest.Fragment {
	var out []manifest.Fragment
	for _, part := range p.Parts {
		out = append(out, manifest.Fragment{ID: part.Fragment, Objects: partObjects(part)})
	}
	several := map[manifest.FragmentID]int{}
	for _, r := range p.Routes {
		several[r.Fragment]++
	}
	for _, r := range p.Routes {
		if r.Provider != v1alpha1.NorthSouthEnvoyGateway || r.Import == nil || !r.Import.Routed || len(r.Ports) == 0 {
			continue
		}
		e := emission{route: r, name: routeName(r, several[r.Fragment] > 1), written: map[manifest.Ref]bool{}}
		e.emit()
		out = append(out, manifest.Fragment{ID: r.Fragment, Objects: e.objects})
	}
	return out
}

// nameHash is how much of a digest tells the routes of one policy apart.
const nameHash = 8

// routeName is the policy's name; with several frontends, and a digest of the
// frontend, so that adding one renames none of the others.
func routeName(r plan.Route, several bool) string {
	if !several {
		return r.Policy
	}
	h := sha256.New()
	fmt.Fprintln(h, r.Gateway.Namespace, r.Gateway.Name, r.Gateway.Listener, r.Hostnames)
	return r.Policy + "-" + hex.EncodeToString(h.Sum(nil))[:nameHash]
}

// emission gathers the objects of one route.
type emission struct {
	route plan.Route
	name  string
	// objects so far, and the references that are among them.
	objects []manifest.Object
	written map[manifest.Ref]bool
}

func (e *emission) emit() {
	switch e.port().Protocol {
	case v1alpha1.ProtocolHTTP, v1alpha1.ProtocolGRPC:
		e.requests()
	default:
		e.connections()
	}
	slices.SortFunc(e.objects, func(a, b manifest.Object) int { return a.Ref().Compare(b.Ref()) })
}

// port is the only one: a request at a gateway names none.
func (e *emission) port() plan.Port { return e.route.Ports[0] }

// grpc tells whether the requests are gRPC's.
func (e *emission) grpc() bool { return e.port().Protocol == v1alpha1.ProtocolGRPC }

// content is a part of an object.
type content = map[string]any

// The groups of the kinds.
const (
	gatewayGroup = "gateway.networking.k8s.io"
	envoyGroup   = "gateway.envoyproxy.io"
	mcsGroup     = "multicluster.x-k8s.io"
)

// add writes an object once.
func (e *emission) add(ref manifest.Ref, spec content) {
	if e.written[ref] {
		return
	}
	o, err := manifest.FromContent(content{"apiVersion": ref.APIVersion, "kind": ref.Kind,
		"metadata": content{"namespace": ref.Namespace, "name": ref.Name}, "spec": spec})
	if err != nil {
		panic(err.Error()) // an object without a name is a mistake in the program
	}
	e.written[ref] = true
	e.objects = append(e.objects, o)
}

// gatewayKind and envoyKind name an object beside the route.
func (e *emission) gatewayKind(kind, name string) manifest.Ref {
	return manifest.Ref{APIVersion: gatewayGroup + "/v1", Kind: kind, Namespace: e.route.Namespace, Name: name}
}

func (e *emission) envoyKind(kind, name string) manifest.Ref {
	return manifest.Ref{APIVersion: envoyGroup + "/v1alpha1", Kind: kind, Namespace: e.route.Namespace, Name: name}
}

// put sets a field that says something.
func put[T comparable](c content, field string, value T) {
	if zero := *new(T); value != zero {
		c[field] = value
	}
}

// putList sets a field to a list that has something in it.
func putList(c content, field string, list []any) {
	if len(list) > 0 {
		c[field] = list
	}
}

// texts makes a list of JSON's kind.
func texts[T ~string](list []T) []any {
	var out []any
	for _, t := range list {
		out = append(out, string(t))
	}
	return out
}

// duration writes a length of time as the Gateway API has it (GEP-2257): whole
// numbers of hours, minutes, seconds and milliseconds, nothing below.
func duration(d v1alpha1.Duration) string {
	v, _ := d.Parse() // its form was checked where it was read
	if v == 0 {
		return ""
	}
	ms := max(v.Milliseconds(), 1)
	var out string
	for _, unit := range []struct {
		ms   int64
		name string
	}{{3_600_000, "h"}, {60_000, "m"}, {1000, "s"}, {1, "ms"}} {
		if n := ms / unit.ms; n > 0 {
			out += fmt.Sprintf("%d%s", n, unit.name)
			ms -= n * unit.ms
		}
	}
	return out
}

// percent reads a percentage, 100 where none is given.
func percent(p v1alpha1.Percent) int64 {
	n, _ := cmp.Or(p, "100%").Parse() // its form was checked where it was read
	return int64(n)
}
