// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// asking is a caller and the Service that it calls, in the words of both.
type asking struct {
	request compiler.TraceRequest
	// flows to the pods of each kind of each cluster, and the clusters of theirs.
	flows    []Flow
	clusters []string
}

// TestSimulatorAgrees: a caller is served by the pods of a cluster, as the
// simulator says, exactly where Cilium's policy engine lets it in there: for the
// pods that are in the inventories of all stories and examples.
func TestSimulatorAgrees(t *testing.T) {
	c := check(t)
	in, out := 0, 0
	for _, s := range scenarios(t) {
		result, diags := compiler.Compile(s.files, s.inv)
		if diag.HasErrors(diags) || !slices.ContainsFunc(result.Bundles, hasPolicies) {
			continue
		}
		tracer, diags := compiler.NewTracer(s.files, s.inv)
		if diag.HasErrors(diags) {
			t.Fatal(diags)
		}
		for _, a := range askings(s, result) {
			answer, diags := tracer.Trace(a.request)
			if diag.HasErrors(diags) {
				t.Fatalf("%s: %v", s.name, diags)
			}
			outcome := resultOf(answer)
			if outcome.Verdict != compiler.TraceServed && outcome.Verdict != compiler.TraceRefused {
				continue
			}
			served := func(cluster string) bool {
				return slices.ContainsFunc(outcome.Shares, func(s compiler.TraceShare) bool { return s.Cluster == cluster })
			}
			for cluster, allowed := range c.admitted(t, result, a) {
				if served(cluster) && !allowed || outcome.Verdict == compiler.TraceRefused && allowed && a.prefers(cluster) {
					t.Errorf("%s: %+v: %s by the simulator, and in %s Cilium says %v", s.name, a.request, outcome.Verdict, cluster, allowed)
				}
				in, out = in+count(allowed), out+count(!allowed)
			}
		}
	}
	if in < 5 || out < 5 {
		t.Errorf("only %d were let in and %d refused", in, out)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// resultOf is what the emitted objects give.
func resultOf(a compiler.TraceAnswer) compiler.TraceOutcome {
	for _, r := range a.Results {
		if r.Provider == "cilium" {
			return r.TraceOutcome
		}
	}
	return a.TraceOutcome
}

// admitted tells in which clusters Cilium lets a caller in.
func (c Check) admitted(t *testing.T, result compiler.Result, a asking) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, b := range result.Bundles {
		var flows []Flow
		for i, f := range a.flows {
			if a.clusters[i] == b.Store {
				flows = append(flows, f)
			}
		}
		if len(flows) == 0 || !hasPolicies(b) {
			continue
		}
		_, passages, err := c.Judge(t.Context(), b.Store, b.YAML(), flows...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range passages {
			out[b.Store] = out[b.Store] || p.Allowed
		}
	}
	return out
}

// askings are all pods of all clusters, calling each port of each Service that a
// policy of Cilium guards somewhere.
func askings(s scenario, result compiler.Result) []asking {
	var out []asking
	for _, to := range guardedServices(s, result) {
		for _, port := range to.Ports {
			for _, home := range s.inv.Clusters {
				for _, from := range home.Services {
					if len(from.Workloads) == 0 {
						continue
					}
					who := from.Workloads[0]
					a := asking{request: compiler.TraceRequest{From: home.Name + "/" + from.Namespace + "/" + from.Name.Name,
						URL: fmt.Sprintf("tcp://%s.%s:%d", to.Name.Name, to.Namespace, port.Port)}}
					a.call(s, to, port, pod(home.Name, from.Namespace, who))
					out = append(out, a)
				}
			}
		}
	}
	return out
}

// prefers tells whether a caller is sent to the pods of a cluster when it is
// sent anywhere: with affinity to others only where its own has none.
func (a *asking) prefers(cluster string) bool {
	home, _, _ := strings.Cut(a.request.From, "/")
	return cluster == home || !slices.Contains(a.clusters, home)
}

// call adds a connection to the pods of every cluster.
func (a *asking) call(s scenario, to inventory.Service, port inventory.Port, from map[string]string) {
	for _, c := range s.inv.Clusters {
		i := slices.IndexFunc(c.Services, func(svc inventory.Service) bool { return svc.Name == to.Name })
		if i < 0 {
			continue
		}
		for _, w := range c.Services[i].Workloads {
			a.flows = append(a.flows, Flow{Name: fmt.Sprint(c.Name, len(a.flows)), From: from, To: pod(c.Name, to.Namespace, w), Port: uint16(max(port.TargetPort, 1)), Protocol: port.Transport})
			a.clusters = append(a.clusters, c.Name)
		}
	}
}

// pod has the labels of a pod as Cilium sees it.
func pod(cluster, namespace string, w inventory.Workload) map[string]string {
	out := map[string]string{"io.cilium.k8s.policy.cluster": cluster, "io.kubernetes.pod.namespace": namespace, "io.cilium.k8s.policy.serviceaccount": w.ServiceAccount}
	for name, value := range w.Labels {
		out[name] = value
	}
	return out
}

// guardedServices are the Services of which a bundle has a policy of Cilium.
func guardedServices(s scenario, result compiler.Result) []inventory.Service {
	var out []inventory.Service
	done := map[inventory.Name]bool{}
	for _, b := range result.Bundles {
		for _, f := range b.Fragments {
			if !slices.ContainsFunc(f.Objects, func(o manifest.Object) bool { return o.Ref().Kind == "CiliumNetworkPolicy" }) {
				continue
			}
			facts, _ := s.inv.Find(b.Store)
			for _, c := range f.Claims {
				for _, svc := range facts.Services {
					if svc.Namespace == c.Ref().Namespace && svc.Name.Name == c.Ref().Name && !done[svc.Name] {
						done[svc.Name] = true
						out = append(out, svc)
					}
				}
			}
		}
	}
	return out
}
