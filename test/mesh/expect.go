// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
)

// expected is what the simulator says that each pod gets: what the emitted
// objects make of it where that differs from the policy by what its author
// accepted, otherwise what the policy means.
func (w *World) expected(t testing.TB, q compiler.TraceRequest) (shares, compiler.TraceVerdict) {
	t.Helper()
	answer, diags := w.tracer.Trace(q)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	outcome := answer.TraceOutcome
	for _, result := range answer.Results {
		// The interpreter of Istio's objects knows no istiod of several clusters.
		if result.Provider == "istio" && !w.shared() {
			outcome = result.TraceOutcome
		}
	}
	out := shares{}
	for _, s := range outcome.Shares {
		var pods []string
		for _, p := range w.Pods {
			if p.Ready && p.Cluster == s.Cluster && p.Namespace == s.Namespace && p.service == s.Service && has(p.Labels, s.Subset) {
				pods = append(pods, p.Cluster+"/"+p.Namespace+"/"+p.Name)
			}
		}
		part, _ := s.Part.Rat().Float64()
		for _, p := range pods {
			out.add(p, part/float64(len(pods)))
		}
	}
	return out, outcome.Verdict
}

// shared tells whether an istiod configures several clusters.
func (s Scenario) shared() bool {
	for _, c := range s.clusters() {
		if s.mesh(c).ControlPlane != c {
			return true
		}
	}
	return false
}

// byCluster adds up what the pods of each cluster get.
func (s shares) byCluster() shares {
	out := shares{}
	for pod, v := range s {
		cluster, _, _ := strings.Cut(pod, "/")
		out.add(cluster, v)
	}
	return out
}

// tolerance: Envoy keeps a whole share down to 1 ÷ 1.4 of the endpoints, which
// the meaning of a policy calls anything from 70 % to 72 %.
const tolerance = 0.02

// differ says how two splits differ, nothing where they do not.
func differ(got, want shares) string {
	var out []string
	for pod := range got {
		if _, ok := want[pod]; !ok {
			out = append(out, fmt.Sprintf("%s gets %.4f, want nothing", pod, got[pod]))
		}
	}
	for _, pod := range sortedKeys(want) {
		if math.Abs(got[pod]-want[pod]) > tolerance {
			out = append(out, fmt.Sprintf("%s gets %.4f, want %.4f", pod, got[pod], want[pod]))
		}
	}
	return strings.Join(out, "; ")
}
