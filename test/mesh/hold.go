// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
)

// hold checks everything that must be true of a World whatever it is about: the
// control planes take every object and complain of nothing, gateways let in to
// what is exported and nothing else, and what every call gets, whoever is lost
// and whoever is not ready, is what the simulator says.
func hold(t *testing.T, w *World) {
	t.Helper()
	w.judge(t)
	r := w.reader(t)
	r.onlyExports()
	compared := 0
	for _, c := range append(w.probes(), w.calls...) {
		compared += r.agree(c)
	}
	if compared == 0 {
		t.Error("nothing could be compared")
	}
	r.edges()
	w.complaints(t)
	w.halve(t)
}

// agree compares what a call gets in every world, and says how often.
func (r *reader) agree(c call) (n int) {
	for _, lost := range r.losses() {
		why, compared := r.compare(c, lost)
		if why != "" {
			r.t.Errorf("%s while %v is lost: %s", c, lost, why)
		}
		if compared {
			n++
		}
	}
	return n
}

// losses are nothing, each single cluster, and each pair where somebody is left
// to answer.
func (w *World) losses() [][]string {
	out, all := [][]string{nil}, w.clusters()
	for i, c := range all {
		out = append(out, []string{c})
		for _, d := range all[i+1:] {
			if len(all) > 2 {
				out = append(out, []string{c, d})
			}
		}
	}
	return out
}

// halve takes the first pod of every workload of one cluster after the other
// away, and compares again.
func (w *World) halve(t *testing.T) {
	t.Helper()
	for _, cluster := range w.clusters() {
		var first []Pod
		for _, p := range w.Pods {
			if p.Cluster == cluster && p.service != "" && strings.HasSuffix(p.Name, "-0") {
				first = append(first, p)
			}
		}
		for _, ready := range []bool{false, true} {
			for _, p := range first {
				w.SetReady(t, p, ready)
			}
			if ready {
				continue
			}
			eventually(t, func() string {
				r := w.reader(t)
				for _, c := range append(w.probes(), w.calls...) {
					if why, _ := r.compare(c, nil); why != "" {
						return fmt.Sprintf("%s while half of %s is not ready: %s", c, cluster, why)
					}
				}
				return ""
			})
		}
	}
}

// compare holds what a call gets by what the control planes sent against what
// the simulator says, and says how they differ. What is not governed, or what
// the clusters still lack something for, is not compared.
func (r *reader) compare(c call, lost []string) (why string, compared bool) {
	cluster, namespace, name := c.place()
	if slices.Contains(lost, cluster) {
		return "", false
	}
	q := compiler.TraceRequest{From: cluster + "/" + namespace + "/" + name, Method: c.Method, URL: c.URL, Headers: c.Headers, Lost: lost, Healthy: r.unwell()}
	if c.outside {
		q.From, q.Gateway = "", q.From
	}
	want, ok := r.expected(r.t, q)
	if !ok {
		return "", false
	}
	config := r.config(r.caller(r.t, c))
	v, err := r.answer(r.t, config, c)
	if err != nil {
		return err.Error(), true
	}
	v.from = cluster
	got := r.split(config, v, lost)
	verdict, status := r.verdict(c, v, got)
	if verdict != want.verdict || status != want.status {
		return fmt.Sprintf("it is %s with status %d, want %s with %d", verdict, status, want.verdict, want.status), true
	}
	if verdict == compiler.TraceUnreachable || verdict == compiler.TraceRefused {
		return "", true
	}
	if why := r.differsInActions(config, v, c, want.applied); why != "" || verdict != compiler.TraceServed {
		return why, true
	}
	return cmp.Or(differ(got, want.shares), r.secured(config, v, got, want.mutual)), true
}

// verdict is what becomes of a call, and the status of an answer that no pod
// gives.
func (r *reader) verdict(c call, v verdict, pods shares) (compiler.TraceVerdict, int) {
	u := must(url.Parse(c.URL))(r.t)
	requests := u.Scheme != "tcp"
	code := func(status int) int {
		if requests {
			return status
		}
		return 0
	}
	switch {
	case v.route != nil && v.route.Redirect != nil:
		return compiler.TraceRedirected, v.status
	case v.route != nil && v.status == 503 && v.route.DirectResponse.Body.Text == "":
		return compiler.TraceUnreachable, 503
	case v.route != nil && v.status != 0:
		return compiler.TraceResponded, v.status
	case v.status != 0:
		return compiler.TraceNoRoute, code(v.status)
	case len(pods) == 0:
		return compiler.TraceUnreachable, code(503)
	case r.refused(c, pods):
		return compiler.TraceRefused, code(403)
	}
	return compiler.TraceServed, 0
}

// refused tells whether the pods that a call gets to refuse it; all do, or none.
func (r *reader) refused(c call, pods shares) bool {
	r.t.Helper()
	from := r.caller(r.t, c)
	u := must(url.Parse(c.URL))(r.t)
	who := fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", r.mesh(from.Cluster).TrustDomain, from.Namespace, from.Account)
	refused := 0
	for at := range pods {
		pod, port, _ := strings.Cut(at, ":")
		place := strings.Split(pod, "/")
		p := r.pod(r.t, place[0], place[1], place[2])
		if !r.config(p).lets(asking{who, c.Request, u, must(strconv.Atoi(port))(r.t)}) {
			refused++
		}
	}
	if refused != 0 && refused != len(pods) {
		r.t.Errorf("%d of %d pods refuse %s", refused, len(pods), c)
	}
	return refused > 0
}

// differsInActions says how what is done to a request besides is not what the
// simulator says.
func (r *reader) differsInActions(config Config, v verdict, c call, want map[string]string) string {
	got := map[string]string{}
	if v.route != nil {
		u := must(url.Parse(c.URL))(r.t)
		got = r.applied(*v.route, u, func(cluster string) string {
			return r.copies(r.split(config, verdict{parts: []part{{cluster, 1}}}, nil))
		})
	}
	if mirror, ok := want["mirror"]; ok {
		want["mirror"] = r.mirrored(mirror)
	}
	for _, what := range slices.Compact(slices.Sorted(slices.Values(append(sortedKeys(got), sortedKeys(want)...)))) {
		if got[what] != want[what] {
			return fmt.Sprintf("%s is %q, want %q", what, got[what], want[what])
		}
	}
	return ""
}
