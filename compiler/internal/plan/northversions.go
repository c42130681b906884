// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"

	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Words of Services for what a port speaks (Kubernetes' ServicePort, appProtocol;
// grpc is Istio's). Names of ports say nothing to Envoy Gateway.
const (
	appProtocolH2C  = "kubernetes.io/h2c"
	appProtocolGRPC = "grpc"
	appProtocolWS   = "kubernetes.io/ws"
	appProtocolWSS  = "kubernetes.io/wss"
)

// Version is the version of HTTP that is spoken to pods.
type Version string

// The versions. Envoy Gateway has the pods of all backends of a rule in one
// cluster of Envoy's, which speaks one of them (its xds/translator, cluster.go).
const (
	HTTP1 Version = "HTTP/1.1"
	HTTP2 Version = "HTTP/2"
)

// appProtocol is what the Service of a backend says of the port that is called.
func (b Backend) appProtocol(called Port) string {
	i := slices.IndexFunc(b.Ports, func(p Port) bool { return p.Number == cmp.Or(b.Port, called.Number) })
	if i < 0 {
		return ""
	}
	return b.Ports[i].AppProtocol
}

// Version is what the pods of a backend expect on the port that is called.
func (b Backend) Version(called Port) Version {
	said := b.appProtocol(called)
	if called.Protocol == v1alpha1.ProtocolGRPC || said == appProtocolH2C || said == appProtocolGRPC {
		return HTTP2
	}
	return HTTP1
}

// Version is what Envoy Gateway speaks to the pods of all backends, by what the
// Services of the first tier say where anybody is in it: WebSockets are HTTP/1.1.
func (r Rule) Version(called Port) Version {
	out := HTTP1
	for _, b := range r.first() {
		switch said := b.appProtocol(called); {
		case said == appProtocolWS || said == appProtocolWSS:
			return HTTP1
		case b.Version(called) == HTTP2:
			out = HTTP2
		}
	}
	return out
}

// first is the first tier with anybody in it.
func (r Rule) first() []Backend {
	for _, tier := range r.Tiers {
		if there := slices.DeleteFunc(slices.Clone(tier), func(b Backend) bool { return b.Absent }); len(there) > 0 {
			return there
		}
	}
	return nil
}

// versions says which pods are spoken to in another version of HTTP than they
// expect.
func (g *gatewayPlanner) versions(at atGateway, r Route) {
	if len(r.Ports) != 1 || !r.Ports[0].L7() {
		return
	}
	called := r.Ports[0]
	for _, rule := range r.Import.Rules {
		spoken := rule.Version(called)
		for _, b := range slices.Concat(rule.Tiers...) {
			if b.Absent || b.Version(called) == spoken {
				continue
			}
			g.pending(at.cluster, r.Fragment, "backend (%s): the pods of Service %s/%s in %s expect %s (appProtocol %q), and Envoy Gateway speaks %s to those of all backends of a rule; give their Services one appProtocol, for HTTP/2 kubernetes.io/h2c",
				at.policy.At(b.path), cmp.Or(b.Namespace, at.service.Namespace), cmp.Or(b.Service, at.service.Name), b.Cluster,
				b.Version(called), b.appProtocol(called), spoken)
		}
	}
}
