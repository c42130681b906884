// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/retry"

	"github.com/fairlead/fairlead/test/world"
)

// own is an object of ours in a member, which its administrator edits.
type own struct {
	resource  schema.GroupVersionResource
	namespace string
	name      string
}

// edit changes a member's copy of an object of ours.
func edit(ctx context.Context, t *testing.T, w *world.World, o own, change func(*unstructured.Unstructured) error) {
	t.Helper()
	client, err := w.Dynamic(world.Managed)
	if err != nil {
		t.Fatal(err)
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		live, err := client.Resource(o.resource).Namespace(o.namespace).Get(ctx, o.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := change(live); err != nil {
			return err
		}
		_, err = client.Resource(o.resource).Namespace(o.namespace).Update(ctx, live, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// specs are what all objects of both clusters ask for, records left out.
func specs(ctx context.Context, t *testing.T, w *world.World) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, cluster := range []string{world.Local, world.Managed} {
		objects, err := w.Objects(ctx, cluster)
		if err != nil {
			t.Fatal(err)
		}
		for key, o := range objects {
			if !strings.HasPrefix(key, world.AppliedBundles.Resource) {
				out[cluster+" "+key] = o.Object["spec"]
			}
		}
	}
	return out
}

// field reads a text, or the first of a list, of what specs returned.
func field(t *testing.T, all map[string]any, key string, path ...string) string {
	t.Helper()
	spec, _ := all[key].(map[string]any)
	if list, ok, _ := unstructured.NestedStringSlice(spec, path...); ok && len(list) > 0 {
		return list[0]
	}
	text, ok, _ := unstructured.NestedString(spec, path...)
	if !ok {
		t.Fatalf("%s has no %v: %v", key, path, spec)
	}
	return text
}

// TestMemberRewritesItsCopies: a member's administrator edits what Fairlead
// wrote there. The lie is quarantined, the edit undone, and nothing that the
// other cluster holds is touched.
func TestMemberRewritesItsCopies(t *testing.T) {
	ctx := bounded(t)
	w := start(ctx, t, true)
	honest := specs(ctx, t, w)
	dataplane := own{resource: world.Dataplanes}
	for key := range honest {
		if name, ok := strings.CutPrefix(key, world.Managed+" dataplanes /"); ok {
			dataplane.name = name
		}
	}
	route := own{world.ServiceRoutes, world.Namespace, "redis-follower"}
	theirs := func(path ...string) string {
		return field(t, honest, world.Local+" serviceroutes guestbook/redis-leader", path...)
	}
	for name, lie := range map[string]struct {
		object own
		value  any
		path   []string
	}{
		"another's global CIDR": {dataplane, field(t, honest, world.Local+" dataplanes /"+dataplane.name, "globalCIDR"), []string{"globalCIDR"}},
		"everything":            {dataplane, "0.0.0.0/0", []string{"globalCIDR"}},
		"another global CIDR":   {dataplane, "242.77.0.0/16", []string{"globalCIDR"}},
		"another service's clusterset IP": {route, []any{theirs("import", "addresses")},
			[]string{"import", "addresses"}},
		"no address": {route, []any{"\x1b[2Jnobody"}, []string{"import", "addresses"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := versions(ctx, t, w)
			edit(ctx, t, w, lie.object, func(o *unstructured.Unstructured) error {
				return unstructured.SetNestedField(o.Object, lie.value, append([]string{"spec"}, lie.path...)...)
			})
			out := reconcile(ctx, t, w, 0)
			contains(t, out.Stderr, "quarantined: "+world.Managed+": ")
			if strings.ContainsRune(out.Stderr, '\x1b') {
				t.Errorf("escapes reach the terminal: %q", out.Stderr)
			}
			if diff := cmp.Diff(honest, specs(ctx, t, w)); diff != "" {
				t.Errorf("something changed: %s", diff)
			}
			after := versions(ctx, t, w)
			for key, version := range before {
				if strings.HasPrefix(key, world.Local+" ") && after[key] != version {
					t.Errorf("%s was written", key)
				}
			}
			if out := reconcile(ctx, t, w, 0); strings.Contains(out.Stderr, "quarantined") {
				t.Error("it is not over when the edit is undone")
			}
		})
	}
}
