// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"slices"
	"testing"
)

func TestStreams(t *testing.T) {
	w := Start(t, Open(t, "testdata/streams.txtar"))
	hold(t, w)
	// The rest of what a headless Service gets goes to the pod that the caller
	// chose.
	own := call{from: "m1/shop", Request: Request{URL: "http://web:80/"}}
	config := w.reader(t).config(w.caller(t, own))
	v, err := w.answer(t, config, own)
	if err != nil {
		t.Fatal(err)
	}
	chosen := func(c Cluster) bool {
		return len(v.parts) == 1 && c.Name == v.parts[0].cluster && c.Type == "ORIGINAL_DST"
	}
	if !slices.ContainsFunc(config.Clusters, chosen) {
		t.Errorf("requests for the caller's own pods go to %v", v.parts)
	}
}
