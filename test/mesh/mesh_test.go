// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"path/filepath"
	"testing"

	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

const (
	examples = "../../policies-example/"
	stories  = "../../compiler/testdata/"
)

// Every scenario of policies-example with Istio, and stories of what they have
// not: of the compiler's own those that are about who is asked.
func TestScenarios(t *testing.T) {
	for _, path := range []string{
		examples + "bookinfo", examples + "mall", "testdata/requests.txtar", "testdata/tunnels.txtar", "testdata/one-istiod.txtar", "testdata/outside.txtar",
		stories + "draining-mesh.txtar", stories + "mesh-tiers.txtar", stories + "mesh-two-fallbacks.txtar", stories + "mesh-shared-observed.txtar",
		examples + "high-availability",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) { hold(t, Start(t, Open(t, path))) })
	}
}

func TestFeatures(t *testing.T) {
	w := Start(t, Open(t, "testdata/features.txtar"))
	hold(t, w)
	treated(t, w)
}
