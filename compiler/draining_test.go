// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// TestDrainingIsLost: with {c2: 75, c1: 25, c3 in tier 1} and c2 draining, the
// share of c2 goes to c3, for callers in c2 as well; in the emitted objects of
// each provider as in the meaning.
func TestDrainingIsLost(t *testing.T) {
	for _, c := range []struct{ story, from, url, lost, want string }{
		{"draining-mesh", "m1/shop/web", "http://web.shop/", "", "m1 1/4, m3 3/4"},
		{"draining-mesh", "m1/shop/web", "http://web.shop/", "m3", "m1 1"},
		{"draining-mesh", "m2/shop/web", "http://web.shop/", "", "m1 1/4, m3 3/4"},
		{"draining", "c2/shop/web", "tcp://web.shop.svc.clusterset.local:80", "", "c1 1/4, c3 3/4"},
		{"draining", "c2/shop/web", "tcp://web.shop.svc.clusterset.local:80", "c3", "c1 1"},
		{"draining", "c3/shop/web", "tcp://one.shop.svc.clusterset.local:80", "", "c1 1"},
	} {
		archive, err := txtar.ParseFile("testdata/" + c.story + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		files, inv := open(t, archive)
		answer, diags := compiler.Trace(files, inv, compiler.TraceRequest{From: c.from, URL: c.url, Lost: strings.Fields(c.lost)})
		if diag.HasErrors(diags) {
			t.Fatal(diags)
		}
		var got []string
		for _, s := range answer.Shares {
			got = append(got, fmt.Sprintf("%s %s", s.Cluster, s.Part.Rat().RatString()))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s from %s without %q: %v, want %s", c.story, c.from, c.lost, got, c.want)
		}
		for _, r := range answer.Results {
			t.Errorf("%s from %s without %q: %s makes something else of it: %+v", c.story, c.from, c.lost, r.Provider, r.TraceOutcome)
		}
	}
}
