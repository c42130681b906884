// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairlead/fairlead/compiler"
)

// route finds the route of a rule at a hostname.
func (c Configuration) route(host string, m Match) (Route, error) {
	for _, h := range c.Hosts {
		if len(h.Domains) == 0 || h.Domains[0] != host {
			continue
		}
		for _, r := range h.Routes {
			if cmp.Equal(r.Match, m) {
				return r, nil
			}
		}
		return Route{}, fmt.Errorf("no route of %s matches %+v: %+v", host, m, h.Routes)
	}
	return Route{}, fmt.Errorf("no host %s", host)
}

// approximately compares shares.
func approximately(got []Share, want map[string]float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	for _, s := range got {
		if math.Abs(s.Part-want[s.Address]) > 1e-6 {
			return fmt.Errorf("got %v, want %v", got, want)
		}
	}
	return nil
}

// part is the address of a part of a service, with a port.
func part(r compiler.Result, name string, port int) string {
	return fmt.Sprintf("%s:%d", Exports(r)[name].Address, port)
}

// upNamed brings one scenario up.
func upNamed(t testing.TB, name string) (*Server, compiler.Result) {
	t.Helper()
	s, sc := Start(t), named(t, name)
	bringUp(t, s, sc)
	return s, sc.result
}

// The shares of the story are what Envoy gives: own pods and imports by weight,
// then addresses; a cluster that is lost gives its share to its siblings.
func TestWeights(t *testing.T) {
	p := bringUp(t, Start(t), named(t, "weights"))
	const own, v2, two, three = "cluster1/weights/web/:80", "cluster2/weights/web/version=v2:80", "cluster2/weights/web/:80", "cluster3/weights/web/:80"
	for _, c := range []struct {
		world       world
		split, tier map[string]float64
	}{
		{fine, map[string]float64{own: 0.5, v2: 0.3, three: 0.2}, map[string]float64{own: 1}},
		{world{[]string{"cluster3"}, replicas}, map[string]float64{own: 0.625, v2: 0.375}, map[string]float64{own: 1}},
		{world{nil, 0}, map[string]float64{v2: 0.6, three: 0.4}, map[string]float64{two: 0.75, three: 0.25}},
		{world{[]string{"cluster3"}, 0}, map[string]float64{v2: 1}, map[string]float64{two: 1}},
	} {
		g := p.become(t, c.world)
		p.Settled(t, "weights", "eg", func(conf Configuration) error {
			for path, want := range map[string]map[string]float64{"/split": c.split, "/tiers": c.tier} {
				got, err := conf.Reply(Asked{Scheme: "http", Host: "www.example.com", Method: "GET", Path: path}, g)
				if err != nil {
					return err
				}
				if diff := cmp.Diff(want, got.Shares, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
					return fmt.Errorf("%v %s: %s", c.world, path, diff)
				}
			}
			return nil
		})
	}
}

// Envoy tries routes in order: each request meets its own rule first.
func TestOrder(t *testing.T) {
	s, r := upNamed(t, "order")
	two, three := part(r, "order/web-cluster2", 80), part(r, "order/web-cluster3", 80)
	var want = []struct {
		match Match
		to    string
	}{
		{Match{Path: "/health", Headers: []string{"x-canary=1"}}, three},
		{Match{Path: "/health"}, two},
		{Match{ElementPrefix: "/api", Headers: []string{":method=GET", "x-canary=1"}}, three},
		{Match{ElementPrefix: "/api", Headers: []string{":method=POST", "x-canary=1"}}, three},
		{Match{ElementPrefix: "/api", Headers: []string{":method=GET"}}, two},
		{Match{ElementPrefix: "/api", Headers: []string{":method=POST"}}, two},
		{Match{Prefix: "/", Headers: []string{"x-canary=1"}}, three},
		{Match{Prefix: "/"}, two},
	}
	s.Settled(t, "order", "eg", func(c Configuration) error {
		routes, err := only(c)
		if err != nil {
			return err
		}
		if len(routes) != len(want) {
			return fmt.Errorf("%d routes: %+v", len(routes), routes)
		}
		for i, w := range want {
			got := routes[i]
			if !sameMatch(got.Match, w.match) {
				return fmt.Errorf("route %d matches %+v, want %+v", i, got.Match, w.match)
			}
			if err := approximately(c.Shares(got.Targets), map[string]float64{w.to: 1}); err != nil {
				return fmt.Errorf("route %d: %w", i, err)
			}
		}
		return nil
	})
}

// sameMatch compares matches whatever the order of their headers.
func sameMatch(a, b Match) bool {
	seen := map[string]int{}
	for _, h := range a.Headers {
		seen[h]++
	}
	for _, h := range b.Headers {
		seen[h]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	a.Headers, b.Headers = nil, nil
	return cmp.Equal(a, b)
}

// Connections are shared by weight, and TLS is told apart by the server name.
func TestStreams(t *testing.T) {
	s, r := upNamed(t, "streams")
	want := map[string]map[string]float64{}
	want["names"] = map[string]float64{part(r, "streams/names-cluster2", 53): 1}
	for service, port := range map[string]int{"store": 6379, "secure": 443} {
		want[service] = map[string]float64{part(r, "streams/"+service+"-cluster2", port): 0.75, part(r, "streams/"+service+"-cluster3", port): 0.25}
	}
	c := s.Settled(t, "streams", "eg", func(c Configuration) error {
		if len(c.Streams) != len(want) {
			return fmt.Errorf("%d streams: %+v", len(c.Streams), c.Streams)
		}
		for _, stream := range c.Streams {
			ok := false
			for _, shares := range want {
				ok = ok || approximately(c.Shares(stream.Targets), shares) == nil
			}
			if !ok {
				return fmt.Errorf("%+v gets %v", stream, c.Shares(stream.Targets))
			}
		}
		return nil
	})
	names := 0
	for _, stream := range c.Streams {
		if cmp.Equal(stream.ServerNames, []string{"secure.example.com"}) {
			names++
		}
	}
	if names != 1 {
		t.Errorf("%d streams are told apart by secure.example.com: %+v", names, c.Streams)
	}
	one, err := c.route("grpc.example.com", Match{Path: "/hello.Greeter/SayHello", Headers: []string{"x-v=2"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := approximately(c.Shares(one.Targets), map[string]float64{part(r, "streams/greeter-cluster3", 50051): 1}); err != nil || one.Timeout != "2s" {
		t.Errorf("timeout %s, %v", one.Timeout, err)
	}
}
