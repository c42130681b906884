// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// TestScenarios: everything that any story or example emits is let pass by the
// API server as it stands, and accepted by Envoy Gateway with its references
// resolved and nothing in its way; and what Envoy is told to do with requests is
// what the simulator says.
func TestScenarios(t *testing.T) {
	s := Start(t)
	all := scenarios(t)
	// Those of which the other tests know.
	const atLeast = 13
	if len(all) < atLeast {
		t.Errorf("only %d scenarios", len(all))
	}
	for _, sc := range all {
		t.Run(sc.name, func(t *testing.T) { bringUp(t, s, sc).compare(t) })
	}
}

// compare holds what Envoy is told against what the simulator says: requests
// that may meet any rule, with every cluster there and with some lost.
func (p *place) compare(t *testing.T) {
	t.Helper()
	var diags []diag.Diagnostic
	if p.tracer, diags = compiler.NewTracer(p.files, p.inv); diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	documents, compared := policies(t, p.files), 0
	for _, w := range p.worlds() {
		g := p.become(t, w)
		for gateway := range p.gateways() {
			asked := requests(documents, gateway)
			compared += len(asked)
			var want []Reply
			for _, q := range asked {
				want = append(want, p.traced(t, gateway, q, w))
			}
			namespace, name, _ := strings.Cut(gateway, "/")
			p.Settled(t, namespace, name, func(c Configuration) error {
				for i, q := range asked {
					got, err := c.Reply(q, g)
					if err != nil {
						return fmt.Errorf("%+v: %w", q, err)
					}
					if diff := cmp.Diff(want[i], got, cmpopts.EquateApprox(0, w.tolerance()), cmpopts.EquateEmpty()); diff != "" {
						return fmt.Errorf("%v: %+v (-simulator +Envoy):\n%s", w, q, diff)
					}
				}
				return nil
			})
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// tolerance of shares: 71 % healthy and Envoy's 1 ÷ 1.4 count as equal.
func (w world) tolerance() float64 {
	if w.ready > 0 && w.ready < replicas {
		return 0.005
	}
	return 1e-6
}
