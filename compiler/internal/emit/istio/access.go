// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	security "istio.io/api/security/v1beta1"
	typed "istio.io/api/type/v1beta1"
	clientsecurity "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// access emits who is refused on the governed ports: a DENY of everyone who is
// not listed, because an ALLOW would refuse everyone on every other port.
func (e *emitter) access() {
	x := e.service.Export
	if x == nil || x.Access == nil || len(x.Selector) == 0 {
		return
	}
	out := &clientsecurity.AuthorizationPolicy{TypeMeta: securityKind("AuthorizationPolicy"), ObjectMeta: e.meta(mainName)}
	out.Spec.Selector = &typed.WorkloadSelector{MatchLabels: x.Selector}
	out.Spec.Action = security.AuthorizationPolicy_DENY
	for _, p := range e.service.Ports {
		out.Spec.Rules = append(out.Spec.Rules, denials(p, x.Access.Allow)...)
	}
	if len(out.Spec.Rules) > 0 {
		e.add(out)
	}
}

// mutual emits that pods refuse clear text on the governed ports.
func (e *emitter) mutual() {
	x := e.service.Export
	if x == nil || !x.MutualTLS || len(x.Selector) == 0 {
		return
	}
	out := &clientsecurity.PeerAuthentication{TypeMeta: securityKind("PeerAuthentication"), ObjectMeta: e.meta(mainName)}
	out.Spec.Selector = &typed.WorkloadSelector{MatchLabels: x.Selector}
	out.Spec.PortLevelMtls = map[uint32]*security.PeerAuthentication_MutualTLS{}
	for _, p := range e.service.Ports {
		out.Spec.PortLevelMtls[targetPort(p)] = &security.PeerAuthentication_MutualTLS{Mode: security.PeerAuthentication_MutualTLS_STRICT}
	}
	e.add(out)
}

// strict emits that every pod of the mesh refuses clear text.
func strict(m *plan.Mesh) *clientsecurity.PeerAuthentication {
	out := &clientsecurity.PeerAuthentication{TypeMeta: securityKind("PeerAuthentication"),
		ObjectMeta: metav1.ObjectMeta{Namespace: m.RootNamespace, Name: mainName}}
	out.Spec.Mtls = &security.PeerAuthentication_MutualTLS{Mode: security.PeerAuthentication_MutualTLS_STRICT}
	return out
}

func securityKind(name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: clientsecurity.SchemeGroupVersion.String(), Kind: name}
}

// targetPort is the port of the pods, which is what their sidecars see. Where
// it is not known it is most often that of the Service.
func targetPort(p plan.Port) uint32 { return uint32(cmp.Or(p.Target, p.Number)) }

// condition is one thing that an entry asks of a request: its callers, or what
// they do. A request that fails one of them fails the entry.
type condition struct {
	kind   conditionKind
	values []string
}

type conditionKind int

const (
	ofPrincipal conditionKind = iota
	ofAccount
	ofMethod
	ofPath
)

// denials are the rules for one port: a request is refused when it fails every
// entry, so there is a rule for each way to choose one failed condition of each.
// Entries that ask for the same beyond their callers are one.
func denials(p plan.Port, allow []plan.AccessRule) []*security.Rule {
	ways := [][]condition{nil}
	for _, entry := range joined(p, allow) {
		if len(entry) == 0 {
			return nil // anybody may do anything
		}
		var next [][]condition
		for _, way := range ways {
			for _, failed := range entry {
				next = append(next, append(slices.Clone(way), failed))
			}
		}
		ways = next
	}
	var out []*security.Rule
	for _, way := range ways {
		out = append(out, denial(p, way))
	}
	return out
}

// joined returns the conditions of every entry that speaks of a port. Entries
// that only list callers are one entry with all of them.
func joined(p plan.Port, allow []plan.AccessRule) [][]condition {
	var out [][]condition
	var order []string
	callers := map[string][]string{}
	rest := map[string][]condition{}
	for _, a := range allow {
		if len(a.Ports) > 0 && !slices.Contains(a.Ports, v1alpha1.PortNumber(p.Number)) {
			continue
		}
		if !p.L7() && len(a.Methods)+len(a.Paths) > 0 {
			continue // a connection never meets it
		}
		principals, accounts := sources(a)
		requests := requestConditions(a)
		if len(accounts) > 0 || len(principals) == 0 {
			if len(principals) > 0 {
				requests = append(requests, condition{ofPrincipal, principals})
			}
			if len(accounts) > 0 {
				requests = append(requests, condition{ofAccount, accounts})
			}
			out = append(out, requests)
			continue
		}
		key := fmt.Sprint(requests)
		if _, ok := rest[key]; !ok {
			order = append(order, key)
		}
		rest[key], callers[key] = requests, append(callers[key], principals...)
	}
	for _, key := range order {
		slices.Sort(callers[key])
		out = append(out, append(rest[key], condition{ofPrincipal, slices.Compact(callers[key])}))
	}
	return out
}

// requestConditions are an entry's methods and paths.
func requestConditions(a plan.AccessRule) []condition {
	var out []condition
	if len(a.Methods) > 0 {
		c := condition{kind: ofMethod}
		for _, m := range a.Methods {
			c.values = append(c.values, string(m))
		}
		out = append(out, c)
	}
	if len(a.Paths) > 0 {
		c := condition{kind: ofPath}
		for _, p := range a.Paths {
			if p.Exact != "" {
				c.values = append(c.values, p.Exact)
			} else if s := stem(p.Prefix); s != "" {
				c.values = append(c.values, s, s+"/*")
			} else {
				c.values = append(c.values, "/*")
			}
		}
		out = append(out, c)
	}
	return out
}

// sources are the principals of an entry's callers, and the service accounts
// where they are in any namespace: Istio's principals have a wildcard at one end
// only.
func sources(a plan.AccessRule) (principals, accounts []string) {
	if a.All && len(a.Namespaces) == 0 && len(a.ServiceAccounts) == 0 {
		return nil, nil
	}
	for _, c := range a.Clusters {
		if len(a.Namespaces) == 0 {
			principals = append(principals, c.TrustDomain+"/*")
			continue
		}
		for _, ns := range a.Namespaces {
			if len(a.ServiceAccounts) == 0 {
				principals = append(principals, fmt.Sprintf("%s/ns/%s/*", c.TrustDomain, ns))
			}
			for _, sa := range a.ServiceAccounts {
				principals = append(principals, fmt.Sprintf("%s/ns/%s/sa/%s", c.TrustDomain, ns, sa))
			}
		}
	}
	slices.Sort(principals)
	principals = slices.Compact(principals)
	if len(a.Namespaces) == 0 {
		for _, sa := range a.ServiceAccounts {
			accounts = append(accounts, "*/sa/"+sa)
		}
	}
	return principals, accounts
}

// denial refuses, on one port, what fails all of the conditions.
func denial(p plan.Port, way []condition) *security.Rule {
	operation := &security.Operation{Ports: []string{fmt.Sprint(targetPort(p))}}
	out := &security.Rule{To: []*security.Rule_To{{Operation: operation}}}
	var principals []string
	for _, c := range way {
		switch c.kind {
		case ofMethod:
			operation.NotMethods = append(operation.NotMethods, c.values...)
		case ofPath:
			operation.NotPaths = append(operation.NotPaths, c.values...)
		default:
			principals = append(principals, c.values...)
		}
	}
	if len(principals) > 0 {
		slices.SortFunc(principals, strings.Compare)
		out.From = []*security.Rule_From{{Source: &security.Source{NotPrincipals: slices.Compact(principals)}}}
	}
	return out
}
