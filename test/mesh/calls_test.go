// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/compiler"
)

// plausible is a chi-square that three counts of the right shares exceed once
// in five hundred million runs (two degrees of freedom: e to the power of -20);
// those of equal shares are at 1,900.
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

	w.fits(t, c, nil)
	// Nobody listens where the gateway of m2 was: connections are refused.
	remote.Kill()
	w.fits(t, c, []string{"m2"})
}

// fits makes calls, and compares who answered with what the simulator says.
func (w *World) fits(t *testing.T, c call, lost []string) {
	t.Helper()
	want, ok := w.expected(t, compiler.TraceRequest{From: "m1/shop/caller", URL: "grpc://echo:9000/fairlead.test.Name/Get", Lost: lost})
	if !ok {
		t.Fatal("the simulator knows of no policy")
	}
	shares := shares{}
	for at, share := range want.shares {
		pod, _, _ := strings.Cut(at, ":")
		for _, p := range w.Pods {
			if p.String() == pod {
				shares.add(p.Cluster+"/"+p.Labels["version"], share)
			}
		}
	}
	counts := w.proxyless(t, c, manyCalls)
	x := chiSquare(counts, shares)
	t.Logf("%v while %v is lost, of shares %v: chi-square %.1f", counts, lost, shares, x)
	if x > plausible {
		t.Errorf("%v while %v is lost, want shares of %v: chi-square %.1f", counts, lost, shares, x)
	}
}
