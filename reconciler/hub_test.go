// SPDX-License-Identifier: Apache-2.0

package reconciler_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler"
)

var secretResource = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// hubFixture has cluster1 as the hub, and cluster2 behind a Secret there: the
// kubeconfig knows cluster1 alone.
func hubFixture(t *testing.T, name string) *fixture {
	t.Helper()
	f := newFixture(t, name)
	f.options.Kubeconfig = apitest.Kubeconfig(t, map[string]*rest.Config{"cluster1": f.clusters[0].Config})
	f.options.Hub = "cluster1"
	ref := fmt.Sprintf("  - name: cluster2\n    api: {secretRef: {namespace: %s, name: cluster2}}", name)
	check(t, f.clone.Write("set.yaml", strings.Replace(f.text(setTemplate), "  - name: cluster2", ref, 1)))
	return f
}

// secret writes a value into the Secret of the hub.
func (f *fixture) secret(t *testing.T, key, value string) {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"data": map[string]any{key: base64.StdEncoding.EncodeToString([]byte(value))}}}
	o.SetNamespace(f.name)
	o.SetName("cluster2")
	secrets := f.clusters[0].Dynamic(t).Resource(secretResource).Namespace(f.name)
	err := secrets.Delete(context.Background(), o.GetName(), metav1.DeleteOptions{})
	if err != nil && !strings.Contains(err.Error(), "not found") {
		t.Fatal(err)
	}
	_, err = secrets.Create(context.Background(), o, metav1.CreateOptions{})
	check(t, err)
}

// kubeconfig of cluster2, in which the only context is the current one.
func (f *fixture) kubeconfig(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(apitest.Kubeconfig(t, map[string]*rest.Config{"cluster2": f.clusters[1].Config}))
	check(t, err)
	return strings.Replace(string(text), `current-context: ""`, "current-context: cluster2", 1)
}

// TestSecretsOfTheHub: a cluster is reached by the kubeconfig in a Secret.
func TestSecretsOfTheHub(t *testing.T) {
	f := hubFixture(t, "behind-the-hub")
	f.secret(t, "value", f.kubeconfig(t))
	f.push(t, 75, false)
	report, lines := f.reconcile(t)
	if len(report.Clusters) != 2 || !strings.Contains(lines, "cluster2") {
		t.Errorf("two clusters were to be written:\n%s", lines)
	}
	if report, lines = f.reconcile(t); lines != "" {
		t.Errorf("the second run wrote, with %v:\n%s", report.Clusters, lines)
	}
}

// TestBadSecretsOfTheHub: the cluster cannot be reached, the others go on, and
// nothing of a Secret is shown or run.
func TestBadSecretsOfTheHub(t *testing.T) {
	f := hubFixture(t, "bad-hub")
	f.push(t, 75, false)
	good := f.kubeconfig(t)
	marker := t.TempDir() + "/ran"
	for _, c := range []struct{ name, key, value, want string }{
		{"none", "", "", "has no Secret bad-hub/cluster2"},
		{"key", "other", good, `has no key "value"`},
		{"text", "value", "s3cr3t: [", "is no kubeconfig"},
		{"empty", "value", "apiVersion: v1\nkind: Config\n", "has no current context"},
		{"program", "value", userOf(good, "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: touch, args: ["+marker+"]}"), "runs a program"},
		{"provider", "value", userOf(good, "auth-provider: {name: oidc}"), "auth-provider"},
		{"files", "value", userOf(good, "tokenFile: /etc/shadow"), "names files of the user"},
		{"authority", "value", strings.Replace(good, "certificate-authority-data:", "certificate-authority: /etc/hostname\n    x:", 1), "names a file of the cluster"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.key != "" {
				f.secret(t, c.key, c.value)
			}
			report, err := reconciler.Reconcile(context.Background(), f.options)
			check(t, err)
			var out, notes strings.Builder
			report.Text(&out, &notes)
			all := out.String() + notes.String()
			if report.OK() || !strings.Contains(all, c.want) || strings.Contains(all, "s3cr3t") || strings.Contains(all, "shadow") {
				t.Errorf("want %q in\n%s", c.want, all)
			}
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the program of a Secret was run")
	}
	f.options.Hub = "nowhere"
	if report, err := reconciler.Reconcile(context.Background(), f.options); err != nil || !strings.Contains(fmt.Sprint(report.Clusters), "reach the hub") {
		t.Errorf("report %v, error %v without a hub", report.Clusters, err)
	}
}

// userOf replaces what a kubeconfig says of its user.
func userOf(kubeconfig, user string) string {
	before, _, _ := strings.Cut(kubeconfig, "users:")
	return before + "users:\n- name: cluster2\n  user: {" + user + "}\n"
}
