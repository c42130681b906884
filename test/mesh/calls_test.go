// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/netip"
	"testing"
)

// plausible is a chi-square that three counts of the right shares exceed once
// in five hundred million runs; those of equal shares are at 1,900.
const plausible = 40

// manyCalls are enough to tell 10 % from 15 %.
const manyCalls = 2000

// A gRPC client without a proxy, configured by istiod alone, splits its calls by
// the weights, and moves on where nobody listens.
func TestProxylessSplit(t *testing.T) {
	w := Start(t, Open(t, "testdata/split.txtar"))
	local(t, "10.128.0.0/9")
	local(t, "192.0.2.0/24")
	v := func(version string) map[string]string { return map[string]string{"version": version} }
	const port = 9000
	servers(t, "m1/v1", append(w.addresses("m1", v("v1"), port), netip.MustParseAddrPort("192.0.2.1:15443"))...)
	servers(t, "m1/v2", w.addresses("m1", v("v2"), port)...)
	remote := servers(t, "m2/v3", netip.MustParseAddrPort("192.0.2.2:15443"))
	c := call{from: "m1/shop", Request: Request{URL: "xds:///echo.shop.svc.cluster.local:9000"}}

	counts := w.proxyless(t, c, manyCalls)
	t.Log(counts)
	if x := chiSquare(counts, map[string]float64{"m2/v3": 0.75, "m1/v1": 0.15, "m1/v2": 0.10}); x > plausible {
		t.Errorf("%v: chi-square %.1f", counts, x)
	}
	// The share of m2 goes to the heaviest of its siblings.
	remote.Kill()
	counts = w.proxyless(t, c, manyCalls)
	t.Log(counts)
	if x := chiSquare(counts, map[string]float64{"m1/v1": 0.90, "m1/v2": 0.10}); x > plausible {
		t.Errorf("%v without m2: chi-square %.1f", counts, x)
	}
}
