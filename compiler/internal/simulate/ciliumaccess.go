// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/compiler/inventory"
)

// networkPolicy is what is read of a CiliumNetworkPolicy.
type networkPolicy struct {
	Metadata struct {
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		EndpointSelector  metav1.LabelSelector `json:"endpointSelector"`
		EnableDefaultDeny struct {
			Ingress *bool `json:"ingress"`
		} `json:"enableDefaultDeny"`
		Ingress     []ingressRule `json:"ingress"`
		IngressDeny []ingressRule `json:"ingressDeny"`
	} `json:"spec"`
}

// ingressRule says from whom and to which ports.
type ingressRule struct {
	FromEndpoints []metav1.LabelSelector `json:"fromEndpoints"`
	FromEntities  []string               `json:"fromEntities"`
	ToPorts       []struct {
		Ports []struct {
			Port     string `json:"port"`
			Protocol string `json:"protocol"`
		} `json:"ports"`
	} `json:"toPorts"`
}

// The labels by which Cilium tells pods apart, and where it has them from.
const (
	ciliumCluster   = "io.cilium.k8s.policy.cluster"
	ciliumAccount   = "io.cilium.k8s.policy.serviceaccount"
	ciliumNamespace = "io.kubernetes.pod.namespace"
	fromKubernetes  = "k8s:"
	fromAnywhere    = "any:"
)

// admits tells whether pods let the caller in: no denial takes the connection
// and, where a policy makes them deny by default, something allows it.
func (n *clusterNodes) admits(b balance, w inventory.Workload) bool {
	at := identityOf(n.site.Cluster, b.to.namespace, w.ServiceAccount, w.Labels)
	from := b.request.From
	caller := identityOf(from.Cluster, from.Namespace, from.Account, from.Labels)
	closed, allowed := false, false
	for _, p := range n.policies {
		if p.Metadata.Namespace != b.to.namespace || !meets(at, p.Spec.EndpointSelector) {
			continue
		}
		takes := func(r ingressRule) bool { return r.takes(p.Metadata.Namespace, caller) && r.port(n, b) }
		if slices.ContainsFunc(p.Spec.IngressDeny, takes) {
			return false
		}
		set := p.Spec.EnableDefaultDeny.Ingress
		closed = closed || set == nil && len(p.Spec.Ingress)+len(p.Spec.IngressDeny) > 0 || set != nil && *set
		allowed = allowed || slices.ContainsFunc(p.Spec.Ingress, takes)
	}
	return !closed || allowed
}

// identityOf are the labels of a pod's identity.
func identityOf(cluster, namespace, account string, labels map[string]string) map[string]string {
	out := map[string]string{ciliumCluster: cluster, ciliumNamespace: namespace, ciliumAccount: account}
	for k, v := range labels {
		out[k] = v
	}
	return out
}

// takes tells whether a rule is about a caller, who is always a pod of the
// cluster mesh. A selector that names no namespace means the policy's own.
func (r ingressRule) takes(namespace string, caller map[string]string) bool {
	if r.FromEndpoints == nil && r.FromEntities == nil {
		return true
	}
	if slices.ContainsFunc(r.FromEntities, func(e string) bool { return e == "all" || e == "cluster" }) {
		return true
	}
	return slices.ContainsFunc(r.FromEndpoints, func(s metav1.LabelSelector) bool {
		return (names(s, ciliumNamespace) || caller[ciliumNamespace] == namespace) && meets(caller, s)
	})
}

// port tells whether a rule is about the port that is called.
func (r ingressRule) port(n *clusterNodes, b balance) bool {
	if len(r.ToPorts) == 0 {
		return true
	}
	called := b.request.Port
	svc, _ := n.site.service(b.to.namespace, b.to.service)
	for _, p := range svc.Ports {
		if b.request.to(p.Port, p.Transport) && p.TargetPort != 0 {
			called = p.TargetPort
		}
	}
	for _, to := range r.ToPorts {
		for _, p := range to.Ports {
			if p.Port == strconv.Itoa(int(called)) && (p.Protocol == "" || p.Protocol == "ANY" || p.Protocol == string(transport(b.request))) {
				return true
			}
		}
	}
	return false
}

// key is a label without the source that a selector names.
func key(label string) string {
	return strings.TrimPrefix(strings.TrimPrefix(label, fromKubernetes), fromAnywhere)
}

// names tells whether a selector speaks of a label.
func names(s metav1.LabelSelector, label string) bool {
	for k := range s.MatchLabels {
		if key(k) == label {
			return true
		}
	}
	return slices.ContainsFunc(s.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool { return key(r.Key) == label })
}

// meets tells whether labels are selected.
func meets(labels map[string]string, s metav1.LabelSelector) bool {
	for k, want := range s.MatchLabels {
		if got, ok := labels[key(k)]; !ok || got != want {
			return false
		}
	}
	for _, r := range s.MatchExpressions {
		got, there := labels[key(r.Key)]
		in := there && slices.Contains(r.Values, got)
		switch r.Operator {
		case metav1.LabelSelectorOpIn:
			if !in {
				return false
			}
		case metav1.LabelSelectorOpNotIn:
			if in {
				return false
			}
		case metav1.LabelSelectorOpExists:
			if !there {
				return false
			}
		case metav1.LabelSelectorOpDoesNotExist:
			if there {
				return false
			}
		}
	}
	return true
}
