// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
)

// The example of the repository: what comes in at the gateway of cluster1 goes
// to the export address of cluster2.
func TestExample(t *testing.T) {
	s := Start(t)
	folder := filepath.Join("..", "..", "policies-example", "envoy-gateway")
	text, err := os.ReadFile(filepath.Join(folder, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		t.Fatal(err)
	}
	result, diags := compiler.Compile(os.DirFS(filepath.Join(folder, "policies")), inv)
	if diag.HasErrors(diags) {
		t.Fatal(diags)
	}
	bringUp(t, s, result, inv)
	want := Route{Match: Match{ElementPrefix: "/get"}, Timeout: "5s", Retry: &Retry{Attempts: 2, On: []string{"connect-failure", "refused-stream"}}}
	address := Exports(result)["default/backend-cluster2"].Address + ":3000"
	s.Settled(t, "default", "eg", func(c Configuration) error {
		routes, err := only(c)
		if err != nil {
			return err
		}
		got := Route{Match: routes[0].Match, Timeout: routes[0].Timeout, Retry: routes[0].Retry}
		if diff := cmp.Diff(want, got); diff != "" || len(routes) != 1 {
			return fmt.Errorf("%d routes: %s", len(routes), diff)
		}
		if got := c.Shares(routes[0].Targets); len(got) != 1 || got[0] != (Share{address, 1}) {
			return fmt.Errorf("requests get %v, want %s", got, address)
		}
		for _, target := range routes[0].Targets {
			if p := c.Clusters[target.Cluster].Panic; p != 0 {
				return fmt.Errorf("panics below %v %%", p)
			}
		}
		return nil
	})
}
