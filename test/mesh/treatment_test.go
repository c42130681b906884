// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"encoding/json"
	"strings"
	"testing"
)

// How endpoints are treated, as parts of the JSON of Envoy's clusters without
// spaces, by the call that gets to them.
var treatment = map[string][]string{
	// The caller's own pods: all that the policy says.
	"http://home.shop.svc.clusterset.local:80/": {
		`"lbPolicy":"LEAST_REQUEST"`, `"slowStartWindow":"30s"`, `"connectTimeout":"2s"`, `"idleTimeout":"90s"`, `"maxRequestsPerConnection":10`,
		`"tcpKeepalive":{"keepaliveProbes":3,"keepaliveTime":60,"keepaliveInterval":5}`,
		`"maxConnections":100,"maxPendingRequests":50,"maxRequests":200,"maxRetries":7`,
		`"consecutive5xx":7,"interval":"7s","baseEjectionTime":"17s","maxEjectionPercent":77`,
	},
	// Gateways: only connections that fail count, and all of them may be ejected.
	"http://web:80/":       {`"splitExternalLocalOriginErrors":true`, `"consecutiveLocalOriginFailure":5`, `"maxEjectionPercent":100`, `"enforcingConsecutive5xx":0`},
	"http://web:80/header": {`"lbPolicy":"RING_HASH"`},
	"http://web:80/source": {`"lbPolicy":"RING_HASH"`},
	"http://web:80/cookie": {`"lbPolicy":"RING_HASH"`},
}

// treated checks it.
func treated(t *testing.T, w *World) {
	t.Helper()
	for url, want := range treatment {
		c := call{from: "m1/shop", Request: Request{URL: url}}
		config := w.reader(t).config(w.caller(t, c))
		v, err := w.answer(t, config, c)
		if err != nil || len(v.parts) == 0 {
			t.Errorf("%s: %v, %+v", url, err, v)
			continue
		}
		text := config.text(t, v.parts[0].cluster)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %s is not in %s", url, part, text)
			}
		}
	}
}

// text is the JSON of a cluster without spaces.
func (c Config) text(t *testing.T, cluster string) string {
	t.Helper()
	var all struct{ Clusters []json.RawMessage }
	if err := json.Unmarshal(c.raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, text := range all.Clusters {
		if plain := strings.ReplaceAll(string(text), " ", ""); strings.Contains(plain, `"name":"`+cluster+`"`) {
			return plain
		}
	}
	return ""
}
