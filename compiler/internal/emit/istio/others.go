// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"istio.io/api/networking/v1alpha3"
)

// other is a service that is not the policy's own.
type other struct {
	namespace, name string
	ports           []plan.Port
}

// otherOf returns the service of a backend; nil for the policy's own.
func (e *emitter) otherOf(b plan.Backend) *other {
	if b.Own() {
		return nil
	}
	return &other{cmp.Or(b.Namespace, e.service.Namespace), cmp.Or(b.Service, e.service.Name), b.Ports}
}

// host is the name of the Service in its own cluster.
func (o other) host() string { return fmt.Sprintf("%s.%s.svc.cluster.local", o.name, o.namespace) }

// portOf is the port of a backend: its own, or the one that was called. Another
// service may not have that.
func (e *emitter) portOf(b plan.Backend, called plan.Port) (plan.Port, bool) {
	all := e.ports()
	if !b.Own() {
		all = b.Ports
	}
	i := slices.IndexFunc(all, func(p plan.Port) bool {
		return p.Number == cmp.Or(b.Port, called.Number) && p.Transport == called.Transport
	})
	if i < 0 {
		return called, b.Own() && b.Port == 0
	}
	return all[i], true
}

// placeOther finds the host and the subset for a backend of another service.
// Where its pods are in the caller's own cluster, that Service's own host and a
// subset that its policy's objects have; elsewhere a host of its own, as what is
// behind the host of the policy's service has the names of that.
func (e *emitter) placeOther(port plan.Port, b plan.Backend, a *v1alpha1.SessionAffinity) (*host, string) {
	o := e.otherOf(b)
	remote := o.subset(e.store, port, b, a)
	if b.Local {
		return &host{name: o.host()}, remote
	}
	name := fmt.Sprintf("%s.%s.%s", o.name, o.namespace, e.partHost(b.Cluster))
	i := slices.IndexFunc(e.parts, func(h *host) bool { return h.name == name })
	if i < 0 {
		i = len(e.parts)
		prefix := fmt.Sprintf("%s--%s-%s", mainName, digest(o.namespace+"/"+o.name), b.Cluster)
		e.parts = append(e.parts, &host{name: name, prefix: prefix, cluster: b.Cluster, of: o})
	}
	h := e.parts[i]
	p := placed{Chain: plan.Chain{Head: b}, port: port, remote: remote, subset: remote, affinity: a}
	if a != nil {
		p.subset = subsetPrefix + digest(remote+"|"+affinityID(a))
	}
	if !slices.ContainsFunc(h.chains, func(q placed) bool { return q.subset == p.subset }) {
		h.chains = append(h.chains, p)
	}
	return h, p.subset
}

// subset names the pods of another service that callers of a cluster mean.
// In their own cluster it also says how one of them is chosen.
func (o other) subset(caller string, port plan.Port, b plan.Backend, a *v1alpha1.SessionAffinity) string {
	how := ""
	if b.Local {
		how = caller + " " + affinityID(a)
	}
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(b.Labels)) {
		labels = append(labels, k+"="+b.Labels[k])
	}
	return subsetPrefix + digest(fmt.Sprintf("other %s/%s|%d|%s|%s|%s", o.namespace, o.name, port.Number, b.Cluster, strings.Join(labels, ","), how))
}

// otherEntries are the subsets by which policies of other services name these
// pods. Callers of the same cluster reach them directly, and must not meet the
// gateways that stand in for them behind the same host.
func (e *emitter) otherEntries(caller plan.Caller) {
	me := other{namespace: e.service.Namespace, name: e.service.Name}
	for _, r := range caller.Rules {
		b := r.Tiers[0][0]
		for _, port := range e.service.Ports {
			for _, a := range []*v1alpha1.SessionAffinity{r.SessionAffinity, nil} {
				out := entry{subset: me.subset(caller.Cluster, port, b, a), labels: b.Labels}
				if b.Local {
					out.labels = map[string]string{}
					maps.Copy(out.labels, e.service.Export.Selector)
					maps.Copy(out.labels, b.Labels)
					out.policy = ownPods(caller.TLS, b.Identities, a)
				}
				if !slices.ContainsFunc(e.entries, func(x entry) bool { return x.subset == out.subset }) {
					e.entries = append(e.entries, out)
				}
			}
		}
	}
}

// ownPods is how callers of the same cluster reach pods: whatever is said of the
// gateways behind the same host, the identities are theirs.
func ownPods(mode v1alpha1.TLSMode, ids []string, a *v1alpha1.SessionAffinity) *v1alpha3.TrafficPolicy {
	out := podsPolicy(&plan.Import{TLS: mode}, a)
	if out == nil {
		out = &v1alpha3.TrafficPolicy{}
	}
	if mode != v1alpha1.TLSDisable && len(ids) > 0 {
		out.Tls = &v1alpha3.ClientTLSSettings{Mode: v1alpha3.ClientTLSSettings_ISTIO_MUTUAL, SubjectAltNames: ids}
	}
	return out
}
