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
	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestBookinfo(t *testing.T) {
	w := Start(t, Open(t, "../../policies-example/bookinfo"))
	calls := []call{
		{from: "cluster1/default", Request: Request{URL: "http://reviews:9080/"}},
		{from: "cluster1/default", Request: Request{URL: "http://reviews.default.svc.clusterset.local:9080/apix"}},
		{from: "cluster1/default", Request: Request{URL: "http://reviews:9080/api"}},
		{from: "cluster1/default", Request: Request{URL: "http://reviews:9080/api/1"}},
		{from: "cluster1/default", Request: Request{URL: "http://ratings.default:9080/"}},
		{from: "cluster2/default", Request: Request{URL: "http://ratings:9080/"}},
	}
	hold(t, w, calls)
	for _, ready := range []bool{false, true} {
		w.SetReady(t, w.pod(t, "cluster1", "default", "ratings-0-1"), ready)
		eventually(t, func() string { return w.compare(t, calls[4], nil) })
	}
}

// hold checks everything that must be true of a World whatever it is about.
func hold(t *testing.T, w *World, calls []call) {
	t.Helper()
	onlyExports(t, w)
	for _, c := range calls {
		for _, lost := range w.losses() {
			if why := w.compare(t, c, lost); why != "" {
				t.Errorf("%s calls %s while %v is lost: %s", c.from, c.URL, lost, why)
			}
		}
	}
	edges := 0
	for _, same := range byCaller(calls) {
		r := w.reader(t)
		config := w.Sidecar(t, w.caller(t, same[0]))
		var used []verdict
		for _, c := range same {
			v, err := w.answer(t, config, c)
			if err != nil {
				t.Error(err)
			}
			used = append(used, v)
		}
		edges += r.edges(config, used)
	}
	if edges == 0 {
		t.Error("there is no edge between clusters")
	}
}

// losses are nothing, and each single cluster.
func (w *World) losses() [][]string {
	out := [][]string{nil}
	for _, c := range w.clusters() {
		out = append(out, []string{c})
	}
	return out
}

func byCaller(calls []call) map[string][]call {
	out := map[string][]call{}
	for _, c := range calls {
		out[c.from] = append(out[c.from], c)
	}
	return out
}

// onlyExports: what callers of other clusters reach at a gateway is what the
// cluster exports.
func onlyExports(t *testing.T, w *World) {
	t.Helper()
	for _, cluster := range w.clusters() {
		g := w.mesh(cluster).EastWestGateway
		if g == nil {
			continue
		}
		got, want := w.Gateway(t, cluster).reachable(int(g.Port)), w.exported(cluster)
		if !slices.Equal(got, want) {
			t.Errorf("the gateway of %s lets callers in to %v, want %v", cluster, got, want)
		}
	}
}

// compare holds what a call gets by what the control planes sent against what
// the simulator says, and says how they differ.
func (w *World) compare(t *testing.T, c call, lost []string) string {
	t.Helper()
	cluster, namespace, name := c.place()
	if slices.Contains(lost, cluster) || c.steady && len(lost) > 0 {
		return ""
	}
	want, verdict := w.expected(t, compiler.TraceRequest{From: cluster + "/" + namespace + "/" + name, Method: c.Method, URL: c.URL, Headers: c.Headers, Lost: lost, Healthy: w.unwell()})
	config := w.Sidecar(t, w.caller(t, c))
	v, err := w.answer(t, config, c)
	if err != nil {
		return err.Error()
	}
	if answers := map[int]compiler.TraceVerdict{302: compiler.TraceRedirected, 404: compiler.TraceNoRoute}; v.status != 0 {
		if got := cmp.Or(answers[v.status], compiler.TraceResponded); got != verdict {
			return fmt.Sprintf("it is answered with %d, want %s", v.status, verdict)
		}
		return ""
	}
	got := w.reader(t).split(config, v, lost)
	if refused := w.refused(t, c, got); refused != (verdict == compiler.TraceRefused) {
		return fmt.Sprintf("refused by the pods: %v, want %s", refused, verdict)
	} else if refused {
		return ""
	}
	if len(lost) > 0 {
		got, want = got.byCluster(), want.byCluster()
	}
	return differ(got, want)
}

// refused tells whether the pods that a call gets to refuse it; all do, or none.
func (w *World) refused(t *testing.T, c call, pods shares) bool {
	t.Helper()
	from := w.caller(t, c)
	u := must(url.Parse(c.URL))(t)
	who := fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", w.mesh(from.Cluster).TrustDomain, from.Namespace, from.Account)
	refused := 0
	for pod := range pods {
		at := strings.Split(pod, "/")
		p := w.pod(t, at[0], at[1], at[2])
		config, ok := w.sidecars[pod]
		if !ok {
			config = w.Sidecar(t, p)
			w.sidecars[pod] = config
		}
		if !config.lets(asking{who, c.Request, u, w.port(p, must(strconv.Atoi(u.Port()))(t))}) {
			refused++
		}
	}
	if refused != 0 && refused != len(pods) {
		t.Errorf("%d of %d pods refuse %s", refused, len(pods), c.URL)
	}
	return refused > 0
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

// unwell is the ready part of each service that is not ready whole.
func (w *World) unwell() map[string]string {
	ready, all := map[string]int{}, map[string]int{}
	for _, p := range w.Pods {
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

func TestHighAvailability(t *testing.T) {
	w := Start(t, Open(t, "testdata/high-availability.txtar"))
	var calls []call
	for _, from := range []string{"eu-1/shop", "eu-2/shop", "us-1/shop"} {
		calls = append(calls, call{from: from, Request: Request{URL: "http://api:80/"}})
	}
	hold(t, w, calls)
	w.SetReady(t, w.pod(t, "eu-1", "shop", "api-0-0"), false)
	eventually(t, func() string { return w.compare(t, calls[0], nil) })
}

func TestTunnels(t *testing.T) {
	w := Start(t, Open(t, "testdata/tunnels.txtar"))
	var calls []call
	for _, from := range []string{"m1/shop", "m2/shop"} {
		for _, path := range []string{"/", "/away"} {
			calls = append(calls, call{from: from, Request: Request{URL: "http://web:80" + path}})
		}
	}
	hold(t, w, calls)
}

func TestRequests(t *testing.T) {
	w := Start(t, Open(t, "testdata/requests.txtar"))
	h := func(kv ...string) map[string]string { return map[string]string{kv[0]: kv[1]} }
	calls := []call{
		{from: "m1/shop", Request: Request{URL: "http://web:80/"}},
		{from: "m1/shop", Request: Request{URL: "http://web.shop.svc.clusterset.local:80/api/x"}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/beta/1?v=12", Headers: h("x-beta", "1")}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/beta/1?v=x", Headers: h("x-beta", "1")}},
		{from: "m1/shop", Request: Request{URL: "http://web.shop:80/", Headers: h("x-any", "")}},
		{from: "m1/shop", Request: Request{URL: "http://web:80/", Headers: h("x-here", "1")}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/public", Headers: h("x-here", "1")}},
		{from: "m1/shop", Request: Request{URL: "tcp://cache:6379"}},
		{from: "m2/shop", Request: Request{URL: "tcp://cache:6379"}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/public/x"}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/public/x", Method: "POST"}},
		{from: "m2/shop", Request: Request{URL: "http://web:80/publicx"}},
		{from: "m1/shop", Request: Request{URL: "http://web:80/old/x"}},
		{from: "m1/shop", Request: Request{URL: "http://web:80/oldx"}},
		{from: "m1/shop", Request: Request{URL: "http://web:80/closed/7"}},
	}
	hold(t, w, calls)
}

func TestMall(t *testing.T) {
	w := Start(t, Open(t, "../../policies-example/mall"))
	hold(t, w, []call{
		{from: "guangzhou/mall/mall", Request: Request{URL: "http://recommend:8080/"}, steady: true},
		{from: "guangzhou/mall/mall", Request: Request{URL: "http://recommend:8080/", Headers: map[string]string{"x-preview": "yes"}}},
		{from: "singapore/mall/mall", Request: Request{URL: "http://recommend.mall.svc.clusterset.local:8080/"}, steady: true},
		{from: "singapore/mall", Request: Request{URL: "http://recommend:8080/"}},
		{from: "guangzhou/mall", Request: Request{URL: "http://users:8080/"}},
		{from: "singapore/mall/mall", Request: Request{URL: "http://users:8080/"}},
	})
}
