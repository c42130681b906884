// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
)

// entry is a subset that callers elsewhere name.
type entry struct {
	subset string
	labels map[string]string
	// policy of callers of the same cluster; nil where there is nothing to say.
	policy *v1alpha3.TrafficPolicy
}

// exports emits the Gateway that lets callers of other clusters in to exactly
// this service, and gathers the subsets that they name.
func (e *emitter) exports() {
	x := e.service.Export
	if x == nil {
		return
	}
	for _, caller := range x.Callers {
		if caller.Other {
			e.otherEntries(caller)
		}
	}
	if x.Gateway == nil || x.ClearText {
		return
	}
	found := map[string]map[string]string{}
	for _, caller := range x.Callers {
		if caller.Other {
			continue
		}
		for _, r := range caller.Rules {
			for _, c := range asked(r) {
				for _, member := range c.Members() {
					// The caller's own pods at the head are reached directly.
					if member.Cluster != e.store || member.Local && c.Head.Local {
						continue
					}
					for _, port := range e.service.Ports {
						found[e.subsetName(caller.Cluster, port, c)] = member.Labels
					}
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		e.entries = append(e.entries, entry{subset: name, labels: found[name]})
	}
	e.eastWest(mainName, x.Gateway)
}

// eastWest emits the Gateway that lets callers in to exactly the service.
func (e *emitter) eastWest(prefix string, g *plan.MeshGateway) {
	out := &networking.Gateway{TypeMeta: kind("Gateway"), ObjectMeta: e.meta(prefix)}
	out.Name = label(out.Name)
	out.Spec.Selector = g.Selector
	out.Spec.Servers = []*v1alpha3.Server{{
		Port:  &v1alpha3.Port{Number: uint32(g.Port), Name: "tls", Protocol: "TLS"},
		Hosts: []string{fmt.Sprintf("%s/%s", e.service.Namespace, e.ownHost())},
		Tls:   &v1alpha3.ServerTLSSettings{Mode: v1alpha3.ServerTLSSettings_AUTO_PASSTHROUGH},
	}}
	e.add(out)
}

// maxLabel is the length of a DNS label.
const maxLabel = 63

// label makes a DNS label of a name: Istio takes no other for a Gateway. The
// digest keeps apart what a label cannot.
func label(name string) string {
	end := "-" + digest(name)
	short := strings.ReplaceAll(name, ".", "-")
	if most := maxLabel - len(end); len(short) > most {
		short = short[:most]
	}
	return short + end
}

// asked are the chains of the policy's own service that a rule's callers ask
// gateways for.
func asked(r plan.Rule) []plan.Chain {
	out := r.Chains()
	if r.Copy != nil {
		out = append(out, plan.Chain{Head: *r.Copy})
	}
	return slices.DeleteFunc(out, func(c plan.Chain) bool { return !c.Head.Own() })
}
