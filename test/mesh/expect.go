// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
)

// wanted is what the simulator says that a call gets.
type wanted struct {
	verdict compiler.TraceVerdict
	status  int
	shares  shares
	// applied is what is done to the request besides, in one way of writing.
	applied map[string]string
	// mutual tells for each pod whether both sides show certificates.
	mutual map[string]bool
}

// expected is what the emitted objects make of a call where that differs from
// the policy, by what its author accepted and by nothing else; otherwise what
// the policy means. It is not ok where no policy governs the call, or where the
// clusters still lack something for it.
func (w *World) expected(t testing.TB, q compiler.TraceRequest) (wanted, bool) {
	t.Helper()
	answer, diags := w.tracer.Trace(q)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	outcome := answer.TraceOutcome
	for _, result := range answer.Results {
		if len(result.Pending) > 0 {
			return wanted{}, false
		}
		if result.Unexplained != "" {
			t.Errorf("%+v: the objects are not what the policy means after what was accepted: %s", q, result.Unexplained)
		}
		outcome = result.TraceOutcome
	}
	out := wanted{verdict: outcome.Verdict, status: int(outcome.Status), shares: shares{}, applied: map[string]string{}, mutual: map[string]bool{}}
	for what, how := range outcome.Applied {
		out.applied[what] = how
	}
	for _, s := range outcome.Shares {
		pods := w.subset(s.Cluster, s.Namespace, s.Service, s.Subset)
		part, _ := s.Part.Rat().Float64()
		for _, p := range pods {
			at := p.at(w.port(p, int(s.Port)))
			out.shares.add(at, part/float64(len(pods)))
			out.mutual[at] = s.MutualTLS
		}
	}
	return out, answer.Policy != ""
}

// subset lists the ready pods of a subset.
func (w *World) subset(cluster, namespace, service string, labels map[string]string) []Pod {
	var out []Pod
	for _, p := range w.Pods {
		if p.Ready && p.Cluster == cluster && p.Namespace == namespace && p.service == service && has(p.Labels, labels) {
			out = append(out, p)
		}
	}
	return out
}

// unwell is the ready part of each service that is not ready whole.
func (w *World) unwell() map[string]string {
	ready, all := map[string]int{}, map[string]int{}
	for _, p := range w.Pods {
		if p.service == "" {
			continue
		}
		key := fmt.Sprintf("%s/%s/%s", p.Cluster, p.Namespace, p.service)
		all[key]++
		if p.Ready {
			ready[key]++
		}
	}
	out := map[string]string{}
	for key := range all {
		if ready[key] < all[key] {
			out[key] = fmt.Sprintf("%d%%", 100*ready[key]/all[key])
		}
	}
	return out
}

// port is the port of a pod behind that of its Service.
func (w *World) port(p Pod, number int) int {
	observed, _ := w.Inventory.Find(p.Cluster)
	for _, s := range observed.Services {
		for _, q := range s.Ports {
			if s.Namespace == p.Namespace && s.Name.Name == p.service && int(q.Port) == number {
				return int(targetOf(q))
			}
		}
	}
	return number
}

// copies names who gets copies.
func (r *reader) copies(pods shares) string { return strings.Join(sortedKeys(pods), ",") }

// mirrored reads the simulator's "<percent> to <cluster>/<namespace>/<service>/
// <labels>:<port>" and names the pods instead.
func (r *reader) mirrored(text string) string {
	percent, key, _ := strings.Cut(text, " to ")
	place, number, _ := strings.Cut(key, ":")
	parts := strings.SplitN(place, "/", 4)
	if len(parts) < 4 {
		r.t.Fatalf("a copy to %q", text)
	}
	labels := map[string]string{}
	for pair := range strings.SplitSeq(parts[3], ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			labels[k] = v
		}
	}
	out := shares{}
	for _, p := range r.subset(parts[0], parts[1], parts[2], labels) {
		out[p.at(r.port(p, must(strconv.Atoi(number))(r.t)))] = 1
	}
	return percent + " to " + r.copies(out)
}

// tolerance: Envoy keeps a whole share down to 1 ÷ 1.4 of the endpoints, which
// the meaning of a policy calls anything from 70 % to 72 %.
const tolerance = 0.02

// differ says how two splits differ, nothing where they do not.
func differ(got, want shares) string {
	var out []string
	for _, pod := range sortedKeys(got) {
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

// secured says where a connection is not as the simulator says: with mutual TLS
// or without, and to somebody who is accepted.
func (r *reader) secured(c Config, v verdict, got shares, mutual map[string]bool) string {
	for _, part := range v.parts {
		x, _ := c.cluster(part.cluster)
		for _, l := range c.assignment(part.cluster).Endpoints {
			for _, e := range l.Endpoints {
				how := x.tls(e.mode())
				for pod := range r.behind(c, part.cluster, e.Endpoint.Address.Socket, nil) {
					if _, reached := got[pod]; !reached {
						continue
					}
					if how.mutual() != mutual[pod] {
						return fmt.Sprintf("mutual TLS to %s: %v, want %v", pod, how.mutual(), mutual[pod])
					}
					if names := how.names(); how.mutual() && len(names) > 0 && !slices.Contains(names, r.identity(pod)) {
						return fmt.Sprintf("%s is not accepted as %s, only %v", pod, r.identity(pod), names)
					}
				}
			}
		}
	}
	return ""
}

// identity of the pod at cluster/namespace/name:port.
func (r *reader) identity(at string) string {
	pod, _, _ := strings.Cut(at, ":")
	for _, p := range r.Pods {
		if p.String() == pod {
			return r.spiffe(p)
		}
	}
	return ""
}

// spiffe is the identity of a pod.
func (s Scenario) spiffe(p Pod) string {
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", s.mesh(p.Cluster).TrustDomain, p.Namespace, p.Account)
}
