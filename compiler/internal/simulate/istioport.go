// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"slices"
	"strings"

	"istio.io/api/networking/v1alpha3"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// meshPort is a port of a host in the registry, as a request finds it.
type meshPort struct {
	number int32
	// l7: the sidecar sees requests.
	l7 bool
	// tls: the sidecar chooses by the server name that a connection asks for.
	tls bool
	// passed: the sidecar has no part in it.
	passed bool
}

// What istiod takes a port for.
const (
	saysNothing = ""
	saysHTTP    = "http"
	saysTLS     = "tls"
	saysTCP     = "tcp"
	saysUDP     = "udp"
)

// protocolWords are those that istiod knows (its pkg/config/protocol), and
// what it makes of them.
var protocolWords = map[string]string{
	"http": saysHTTP, "http2": saysHTTP, "http_proxy": saysHTTP, "grpc": saysHTTP, "grpc-web": saysHTTP,
	"https": saysTLS, "tls": saysTLS, "tcp": saysTCP, "mongo": saysTCP, "mysql": saysTCP, "redis": saysTCP, "udp": saysUDP,
}

// serviceSays is what istiod takes a port of a Service for (its
// pkg/config/kube, ConvertProtocol).
func serviceSays(p inventory.Port) string {
	text := p.AppProtocol
	switch text {
	case "":
		text = p.Name
	case "kubernetes.io/h2c", "kubernetes.io/ws":
		return saysHTTP
	case "kubernetes.io/wss":
		return saysTLS
	}
	text = strings.ToLower(text)
	if strings.HasPrefix(text, "grpc-web") {
		return saysHTTP
	}
	first, _, _ := strings.Cut(text, "-")
	says := protocolWords[first]
	if says == saysNothing && slices.Contains([]int32{25, 53, 3306, 27017}, p.Port) {
		return saysTCP
	}
	return says
}

// as is a port that is taken for something, as a request finds it. Where nothing
// is said the sidecar looks whether it is one.
func (r Request) as(number int32, says string) meshPort {
	out := meshPort{number: number, tls: says == saysTLS}
	switch says {
	case saysNothing:
		out.l7 = r.L7()
	case saysHTTP:
		out.l7, out.passed = r.L7(), !r.L7()
	case saysUDP:
		out.passed = true
	}
	return out
}

// port finds a port of a host: of the Service, or of a ServiceEntry that the
// caller sees.
func (c *sidecar) port() (meshPort, bool) {
	m, r := c.mesh, c.request
	has := false
	for _, p := range m.own(c.host) {
		has = has || p.Port == r.Port && (p.Transport == "TCP" || p.Transport == "")
	}
	if has {
		return r.as(r.Port, c.registered()), true
	}
	if strings.HasSuffix(c.host, "."+localDomain) && m.site.Observed {
		return meshPort{}, false // no Service of this name: it does not resolve
	}
	for _, e := range m.entriesOf(c.host, r.From.Namespace) {
		for _, p := range e.Spec.Ports {
			if int32(p.GetNumber()) == r.Port {
				return r.as(r.Port, protocolWords[strings.ToLower(p.GetProtocol())]), true
			}
		}
	}
	return meshPort{}, false
}

// registered is what istiod takes the port of the Service for. Of Services of
// one name in several clusters that of its own cluster counts, otherwise the
// first that it read, which here is that of the caller.
func (c *sidecar) registered() string {
	order := []*mesh{c.meshes[c.mesh.site.ControlPlane], c.mesh}
	for _, name := range slices.Sorted(maps.Keys(c.meshes)) {
		order = append(order, c.meshes[name])
	}
	for _, m := range order {
		if m == nil || m.site.ControlPlane != c.mesh.site.ControlPlane {
			continue
		}
		for _, p := range m.own(c.host) {
			if p.Port == c.request.Port && (p.Transport == "TCP" || p.Transport == "") {
				return serviceSays(p)
			}
		}
	}
	return saysNothing
}

// passOn sends a connection on to where it was going, as it came.
func (c *sidecar) passOn(port meshPort) Answer {
	c.say("the sidecars of %s take port %d of %s for something else, and pass it on", c.mesh.site.Cluster, port.number, c.host)
	n, _ := parse(c.host, "", c.mesh.site.Domain)
	e := envoyCluster{destined: destined{host: c.host, port: port.number}, namespace: n.namespace, service: n.service,
		policy: &v1alpha3.TrafficPolicy{Tls: &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_DISABLE}}}
	out := c.note.serve(c.spread(e, c.podsOf(c.mesh, e), one()))
	if out.Verdict == Unreachable && c.shut {
		out.Verdict = Refused
	}
	return out
}

// seesRequests tells whether the sidecars of pods behind a port see requests
// rather than connections.
func (c *sidecar) seesRequests(m *mesh, to arrival) bool {
	for _, p := range m.own(to.service + "." + to.namespace + ".svc." + localDomain) {
		if p.Port == to.port && (p.Transport == "TCP" || p.Transport == "") {
			return c.request.as(to.port, serviceSays(p)).l7
		}
	}
	return c.request.L7()
}
