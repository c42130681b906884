// SPDX-License-Identifier: Apache-2.0

package istio

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Names of Gateways are DNS labels however long the policy's is, and no two
// policies share one.
func TestLabel(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"fairlead.a", "fairlead.a.b", "fairlead.a-b", "fairlead-a.b", "fairlead." + strings.Repeat("x", 60), "fairlead." + strings.Repeat("x", 200)} {
		got := label(name)
		if wrong := validation.IsDNS1123Label(got); len(wrong) > 0 {
			t.Errorf("%s: %v", got, wrong)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s are both %s", other, name, got)
		}
		seen[got] = name
	}
}
