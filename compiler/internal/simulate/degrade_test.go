// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"testing"

	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/simulate"
)

// Every degradation that can be accepted is a function here, and nothing else
// is.
func TestEveryDegradationIsAFunction(t *testing.T) {
	functions := map[string]bool{}
	for _, d := range simulate.Degradations() {
		if functions[d.Name] || d.Apply == nil {
			t.Errorf("%s stands twice, or does nothing", d.Name)
		}
		functions[d.Name] = true
	}
	for _, d := range plan.Degradations() {
		if !functions[d.Name] {
			t.Errorf("degradation %s is no function", d.Name)
		}
		delete(functions, d.Name)
	}
	for name := range functions {
		t.Errorf("function %s is no degradation that can be accepted", name)
	}
}
