// SPDX-License-Identifier: Apache-2.0

package policiesexample

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler"
)

// edited returns the files of a scenario with texts of one replaced, old after
// new; a text that is not there fails the test.
func edited(t *testing.T, files fs.FS, name string, pairs ...string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		out[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := string(out[name].Data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not say %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	out[name] = &fstest.MapFile{Data: []byte(text)}
	return out
}

// problems compiles and returns the diagnostics.
func problems(t *testing.T, folder string, files fs.FS) ([]string, compiler.Result) {
	t.Helper()
	_, inv := load(t, folder)
	result, diags := compiler.Compile(files, inv)
	var out []string
	for _, d := range diags {
		out = append(out, d.String())
	}
	return out, result
}

// egress is the block of the example that is for translate: pool alone.
const egress = `    egress:
      addresses: 8
      pools:
      - {name: guestbook, namespaces: [guestbook], addresses: 2}
      - {name: backup, clusters: [managed-cluster], podLabels: {app: backup}}
`

// What the README of guestbook-overlap says of the other translations.
func TestOverlapWithOtherTranslations(t *testing.T) {
	files, _ := load(t, "guestbook-overlap")
	got, _ := problems(t, "guestbook-overlap", edited(t, files, "clusterset.yaml", "translate: pool", "translate: none", egress, ""))
	const fix = " (choose ranges that have no address in common, or write connectivity.translate: pool or prefix); "
	want := []string{
		"clusterset.yaml:21:18: error FL1305: podCIDR of managed-cluster 10.128.0.0/14 overlaps podCIDR of local-cluster 10.128.0.0/14" +
			fix + "clusterset.yaml:14:18: the other range",
		"clusterset.yaml:22:22: error FL1305: serviceCIDR of managed-cluster 172.30.0.0/16 overlaps serviceCIDR of local-cluster 172.30.0.0/16" +
			fix + "clusterset.yaml:15:22: the other range",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wide := edited(t, files, "clusterset.yaml", "translate: pool", "translate: prefix", egress, "",
		"    gateways:\n    - {name: gw-1, node: local-cluster-node-1}", "      globalCIDR: 242.0.0.0/13\n    gateways:\n    - {name: gw-1, node: local-cluster-node-1}",
		"    gateways:\n    - {name: gw-1, node: managed-cluster-node-1}", "      globalCIDR: 242.8.0.0/13\n    gateways:\n    - {name: gw-1, node: managed-cluster-node-1}")
	got, result := problems(t, "guestbook-overlap", wide)
	if len(got) > 0 || len(result.Bundles) != 2 || !strings.Contains(string(result.Bundles[0].YAML()), "podCIDR: 10.128.0.0/14") {
		t.Errorf("one to one: %v", got)
	}
}

// A weight in rebel-base is refused where it is not accepted.
func TestWeightsInRebelBase(t *testing.T) {
	files, _ := load(t, "rebel-base")
	got, _ := problems(t, "rebel-base", edited(t, files, "hangar.yaml", "  acceptDegradations:\n  - {name: weights, provider: cilium}\n", ""))
	want := []string{"hangar.yaml:15:7: error FL1400: provider cilium does less than this means (weights) " +
		"(to accept it, add {name: weights, provider: cilium} to spec.acceptDegradations)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// No line of one tenant's bundle speaks of the other, and a policy that wants a
// way between them is an error.
func TestTenantsNeverMeet(t *testing.T) {
	files, _ := load(t, "shared-services")
	got, result := problems(t, "shared-services", files)
	if len(got) > 0 || len(result.Bundles) != 3 {
		t.Fatalf("%v", got)
	}
	for i, other := range map[int][]string{1: {"tenant-b", "192.0.2.30", "10.2.0.0"}, 2: {"tenant-a", "192.0.2.20", "10.1.0.0", "orders"}} {
		text := string(result.Bundles[i].YAML())
		for _, word := range other {
			if strings.Contains(text, word) {
				t.Errorf("the bundle of %s says %s:\n%s", result.Bundles[i].Store, word, text)
			}
		}
	}
	asking := edited(t, files, "tenant-a/orders.yaml", "to: {clusters: [shared]}", "to: {clusters: [shared, tenant-b]}")
	got, _ = problems(t, "shared-services", asking)
	if len(got) != 2 || !strings.Contains(got[0]+got[1], "error FL1317") || !strings.Contains(got[0]+got[1], "error FL1322") {
		t.Errorf("a way between tenants: %v", got)
	}
}
