// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strconv"
	"strings"

	"istio.io/api/security/v1beta1"
	security "istio.io/client-go/pkg/apis/security/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// visit is a request at the sidecar of the pods that it reached.
type visit struct {
	Request
	namespace string
	pods      inventory.Workload
	// port of the pods.
	port int32
	// principal of the caller, without the scheme; empty in clear text.
	principal string
	// l7: the sidecar sees requests and not only connections.
	l7 bool
}

// admits tells whether the pods let the caller in: no DENY policy takes the
// request, and one of the ALLOW policies, where there are any, does; and clear
// text only where mutual TLS is not demanded.
func (m *mesh) admits(v visit) bool {
	if v.principal == "" && m.strict(v) {
		return false
	}
	allowing, allowed := false, false
	for _, p := range m.access {
		if !m.selects(p.Namespace, p.Spec.GetSelector().GetMatchLabels(), v) || len(p.Spec.GetTargetRefs()) > 0 {
			continue
		}
		takes := slices.ContainsFunc(p.Spec.GetRules(), func(r *v1beta1.Rule) bool { return v.taken(r, p.Spec.GetAction() == v1beta1.AuthorizationPolicy_DENY) })
		switch p.Spec.GetAction() {
		case v1beta1.AuthorizationPolicy_DENY:
			if takes {
				return false
			}
		case v1beta1.AuthorizationPolicy_ALLOW:
			allowing, allowed = true, allowed || takes
		}
	}
	return !allowing || allowed
}

// selects tells whether a policy is for the pods: of their namespace or of the
// root one, and with their labels.
func (m *mesh) selects(namespace string, labels map[string]string, v visit) bool {
	return (namespace == v.namespace || namespace == m.site.RootNamespace) && hasAll(v.pods.Labels, labels)
}

// strict tells whether the pods refuse clear text on the port: the narrowest
// PeerAuthentication that is set decides.
func (m *mesh) strict(v visit) bool {
	best, out := -1, false
	for _, p := range m.peers {
		labels := p.Spec.GetSelector().GetMatchLabels()
		if !m.selects(p.Namespace, labels, v) {
			continue
		}
		rank := 0
		if p.Namespace == v.namespace {
			rank = 1
		}
		if len(labels) > 0 {
			rank = 2
		}
		mode := p.Spec.GetMtls().GetMode()
		if at := p.Spec.GetPortLevelMtls()[uint32(v.port)]; at != nil {
			mode, rank = at.GetMode(), rank+2
		}
		if rank > best && mode != v1beta1.PeerAuthentication_MutualTLS_UNSET {
			best, out = rank, mode == v1beta1.PeerAuthentication_MutualTLS_STRICT
		}
	}
	return out
}

// taken tells whether a rule takes the request. On a connection what is said of
// requests is ignored by DENY, and makes a rule of ALLOW take nothing.
func (v visit) taken(r *v1beta1.Rule, deny bool) bool {
	from := len(r.GetFrom()) == 0 || slices.ContainsFunc(r.GetFrom(), func(f *v1beta1.Rule_From) bool { return v.source(f.GetSource()) })
	to := len(r.GetTo()) == 0 || slices.ContainsFunc(r.GetTo(), func(t *v1beta1.Rule_To) bool { return v.operation(t.GetOperation(), deny) })
	return from && to && !slices.ContainsFunc(r.GetWhen(), func(c *v1beta1.Condition) bool { return !v.condition(c) })
}

func (v visit) source(s *v1beta1.Source) bool {
	return anyOf(s.GetPrincipals(), v.principal) && noneOf(s.GetNotPrincipals(), v.principal) &&
		anyOf(s.GetServiceAccounts(), v.account()) && noneOf(s.GetNotServiceAccounts(), v.account()) &&
		anyOf(s.GetNamespaces(), v.callerNamespace()) && noneOf(s.GetNotNamespaces(), v.callerNamespace()) &&
		len(s.GetIpBlocks()) == 0 && len(s.GetRequestPrincipals()) == 0
}

// callerNamespace is the one in the caller's certificate.
func (v visit) callerNamespace() string {
	parts := strings.Split(v.principal, "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

// account is the namespace and the service account in the caller's certificate.
func (v visit) account() string {
	parts := strings.Split(v.principal, "/")
	if len(parts) < 5 {
		return ""
	}
	return parts[2] + "/" + parts[4]
}

func (v visit) operation(o *v1beta1.Operation, deny bool) bool {
	port := strconv.Itoa(int(v.port))
	if !anyOf(o.GetPorts(), port) || !noneOf(o.GetNotPorts(), port) {
		return false
	}
	requests := len(o.GetMethods())+len(o.GetNotMethods())+len(o.GetPaths())+len(o.GetNotPaths())+len(o.GetHosts())+len(o.GetNotHosts()) > 0
	if requests && !v.l7 {
		return deny
	}
	return anyOf(o.GetMethods(), v.Method) && noneOf(o.GetNotMethods(), v.Method) && anyOf(o.GetPaths(), v.Path) && noneOf(o.GetNotPaths(), v.Path) &&
		anyOf(o.GetHosts(), v.Host) && noneOf(o.GetNotHosts(), v.Host)
}

// condition knows those about where a request comes from and goes to.
func (v visit) condition(c *v1beta1.Condition) bool {
	got, known := map[string]string{"source.principal": v.principal, "source.namespace": v.callerNamespace(),
		"destination.port": strconv.Itoa(int(v.port))}[c.GetKey()]
	return known && anyOf(c.GetValues(), got) && noneOf(c.GetNotValues(), got)
}

// anyOf tells whether a text is meant; nothing given means every text.
func anyOf(patterns []string, text string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return like(p, text) })
}

// noneOf tells whether a text is not excluded.
func noneOf(patterns []string, text string) bool {
	return !slices.ContainsFunc(patterns, func(p string) bool { return like(p, text) })
}

// like compares as AuthorizationPolicies do: exactly, by a prefix or suffix with
// a *, or with * any text but the empty one.
func like(pattern, text string) bool {
	switch {
	case pattern == "*":
		return text != ""
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(text, pattern[1:])
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(text, pattern[:len(pattern)-1])
	}
	return pattern == text
}

// addAccess takes in what the sidecars of pods read.
func (m *mesh) addAccess(kind string, content map[string]interface{}) {
	switch kind {
	case "AuthorizationPolicy":
		if o := new(security.AuthorizationPolicy); decode(content, o) {
			m.access = append(m.access, o)
		}
	case "PeerAuthentication":
		if o := new(security.PeerAuthentication); decode(content, o) {
			m.peers = append(m.peers, o)
		}
	}
}
