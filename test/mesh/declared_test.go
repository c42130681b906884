// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
)

// What a Service declares decides in the callers' sidecars: routes of connections
// apply to no port that is declared as HTTP, and the other way round. The plan
// says so of each, and it is true of each.
func TestDeclared(t *testing.T) {
	w := Start(t, Open(t, "testdata/declared.txtar"))
	hold(t, w)
	elsewhere(t, w)
	unlisted(t, w)
	from := call{from: "m1/shop"}
	config, address := w.reader(t).config(w.caller(t, from)), w.address(t, from, "web")
	for port, says := range map[int]string{80: "http", 82: "tcp", 83: "http", 85: "tls"} {
		told := fmt.Sprintf("declares it as %s by", says)
		if !slices.ContainsFunc(w.Result.Pending, func(p compiler.Pending) bool {
			return p.Store == "m1" && strings.HasPrefix(p.Message, fmt.Sprintf("port %d ", port)) && strings.Contains(p.Message, told)
		}) {
			t.Errorf("nobody is told that port %d is %s", port, says)
		}
		requests, err := config.route(fmt.Sprint(port), Request{URL: fmt.Sprintf("http://web:%d/", port)})
		if err != nil {
			t.Fatal(err)
		}
		connections, err := config.connection(address, port)
		itself := []part{{fmt.Sprintf("outbound|%d||web.shop.svc.cluster.local", port), 1}}
		if says == "http" && (err == nil || !slices.Equal(requests.parts, itself)) ||
			says != "http" && (requests.status != http.StatusNotFound || !slices.Equal(connections.parts, itself)) {
			t.Errorf("requests to port %d go to %v (%d), connections to %v (%v)", port, requests.parts, requests.status, connections.parts, err)
		}
	}
}

// unlisted: a port that the caller's own Service does not have is none of its
// name.
func unlisted(t *testing.T, w *World) {
	t.Helper()
	for host, want := range map[string]int{"more": http.StatusNotFound, "more.shop.svc.clusterset.local": 0} {
		c := call{from: "m1/shop", Request: Request{URL: "http://" + host + ":91/"}}
		v, err := w.answer(t, w.reader(t).config(w.caller(t, c)), c)
		if err != nil || v.status != want || len(v.parts) == 0 == (want == 0) {
			t.Errorf("%s gets %+v (%v)", c, v, err)
		}
	}
}

// elsewhere: under the name of the set a port is what the policy says, and what a
// Service says of its version of HTTP holds for its pods elsewhere too.
func elsewhere(t *testing.T, w *World) {
	t.Helper()
	config := w.reader(t).config(w.caller(t, call{from: "m1/shop"}))
	second := `"explicitHttpConfig":{"http2ProtocolOptions"`
	for url, http2 := range map[string]bool{"tcp://web.shop.svc.clusterset.local:80": false, "http://web.shop.svc.clusterset.local:82/": false,
		"http://web:86/": true, "http://any.shop.svc.clusterset.local:87/": false} {
		v, err := w.answer(t, config, call{from: "m1/shop", Request: Request{URL: url}})
		far := slices.IndexFunc(v.parts, func(p part) bool { return strings.Contains(p.cluster, ".svc.m2.clusterset.local") })
		if err != nil || far < 0 {
			t.Errorf("%s goes to %v (%v)", url, v.parts, err)
		} else if text := config.text(t, v.parts[far].cluster); strings.Contains(text, second) != http2 {
			t.Errorf("%s goes to %s, want HTTP/2: %v", url, text, http2)
		}
	}
}
