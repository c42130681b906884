// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// Labels that Cilium gives every pod, with the source that it looks them up in.
const (
	labelCluster        = "k8s:io.cilium.k8s.policy.cluster"
	labelServiceAccount = "k8s:io.cilium.k8s.policy.serviceaccount"
	labelNamespace      = "k8s:io.kubernetes.pod.namespace"
	labelSource         = "k8s:"
)

// strangers are what else may send packets to a pod: what is outside the
// clusters, other nodes, pods that Cilium does not manage or does not know yet,
// and its own ingress proxies. The pod's own host is not among them.
var strangers = []any{"world", "remote-node", "unmanaged", "init", "ingress"}

// networkPolicy denies the governed ports to everybody who is not let in.
func networkPolicy(s plan.Service) manifest.Object {
	var deny []any
	for _, group := range groupPorts(s) {
		ports := []any{map[string]any{"ports": group.ports}}
		if len(group.others) > 0 {
			deny = append(deny, map[string]any{"fromEndpoints": group.others, "toPorts": ports})
		}
		deny = append(deny, map[string]any{"fromEntities": slices.Clone(strangers), "toPorts": ports})
	}
	o, err := manifest.FromContent(map[string]any{
		"apiVersion": "cilium.io/v2",
		"kind":       "CiliumNetworkPolicy",
		// No cluster's object can have this name by chance, and policies' names
		// are unique in their namespace.
		"metadata": map[string]any{"namespace": s.Namespace, "name": "fairlead." + s.Policy},
		"spec": map[string]any{
			"description": fmt.Sprintf("Who may call Service %s/%s on its governed ports; every other port stays as it is.", s.Namespace, s.Name),
			// The namespace of the policy is the pods' own.
			"endpointSelector":  map[string]any{"matchLabels": labels(s.Export.Selector)},
			"enableDefaultDeny": map[string]any{"ingress": false, "egress": false},
			"ingressDeny":       deny,
		},
	})
	if err != nil {
		panic(err.Error()) // it has a kind and a name
	}
	return o
}

func labels(of map[string]string) map[string]any {
	out := map[string]any{}
	for name, value := range of {
		out[labelSource+name] = value
	}
	return out
}

// portGroup is some ports that the same callers may not call.
type portGroup struct {
	ports, others []any
	key           string
}

// groupPorts returns the pods' ports by who may not call them, in the order of
// the Service's ports.
func groupPorts(s plan.Service) []portGroup {
	var out []portGroup
	for _, p := range s.Ports {
		others, _ := s.Export.Access.Others(p.Number)
		var selectors []any
		for _, o := range others {
			selectors = append(selectors, selector(o))
		}
		port := map[string]any{"port": strconv.Itoa(int(p.Target)), "protocol": string(p.Transport)}
		key := fmt.Sprint(selectors)
		i := slices.IndexFunc(out, func(g portGroup) bool { return g.key == key })
		if i < 0 {
			i = len(out)
			out = append(out, portGroup{others: selectors, key: key})
		}
		out[i].ports = append(out[i].ports, port)
	}
	return out
}

// selector finds pods of any cluster that lack these traits. Cilium narrows a
// selector without a cluster or a namespace to its own; and what has neither is
// no pod.
func selector(o plan.Others) map[string]any {
	var out []any
	add := func(key string, values []string) {
		if len(values) > 0 {
			out = append(out, map[string]any{"key": key, "operator": "NotIn", "values": texts(values)})
		}
	}
	exists := func(key string) { out = append(out, map[string]any{"key": key, "operator": "Exists"}) }
	exists(labelCluster)
	add(labelCluster, o.Clusters)
	exists(labelNamespace)
	add(labelNamespace, o.Namespaces)
	add(labelServiceAccount, o.ServiceAccounts)
	for _, name := range slices.Sorted(maps.Keys(o.Labels)) {
		add(labelSource+name, o.Labels[name])
	}
	return map[string]any{"matchExpressions": out}
}

func texts(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
