// SPDX-License-Identifier: Apache-2.0

package accepted

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/fairlead/fairlead/internal/apitest"
	"github.com/fairlead/fairlead/reconciler"
	"github.com/fairlead/fairlead/test/sandbox"
)

// workload is rebel-base as its owner has it, with Cilium beside it.
const workload = `apiVersion: v1
kind: Service
metadata: {name: rebel-base, namespace: default, annotations: {owner: leia}}
spec: {selector: {name: rebel-base}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: hangar, namespace: default}
spec: {selector: {name: hangar}, ports: [{name: tcp, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cilium-operator, namespace: kube-system, labels: {io.cilium/app: operator}}
spec:
  selector: {matchLabels: {io.cilium/app: operator}}
  template:
    metadata: {labels: {io.cilium/app: operator}}
    spec: {containers: [{name: cilium-operator, image: "quay.io/cilium/operator-generic:v1.19.4"}]}
`

// reconcile applies a directory and returns what was written, by cluster.
func reconcile(t *testing.T, dir, kubeconfig string) string {
	t.Helper()
	report, err := reconciler.Reconcile(t.Context(), reconciler.Options{Source: reconciler.Source{Repo: dir}, Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Fatalf("%+v", report)
	}
	var lines []string
	for _, c := range report.Clusters {
		for _, a := range c.Actions {
			lines = append(lines, c.Name+": "+string(a.Op)+" "+a.Kind+"/"+a.Name)
		}
	}
	return strings.Join(lines, "\n")
}

// annotations returns those of rebel-base.
func annotations(t *testing.T, c apitest.Cluster) map[string]string {
	t.Helper()
	o, err := c.Dynamic(t).Resource(corev1.SchemeGroupVersion.WithResource("services")).Namespace("default").Get(t.Context(), "rebel-base", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o.GetAnnotations()
}

// TestRebelBaseIsApplied goes from a user's Services to shared ones and back:
// with the policy the annotations come, without it they go, and the Service
// stays its owner's.
func TestRebelBaseIsApplied(t *testing.T) {
	sandbox.Need(t)
	definition := ciliumDefinition(t)
	clusters := apitest.Start(t, servers)[1:]
	configs := map[string]*rest.Config{"cluster1": clusters[0].Config, "cluster2": clusters[1].Config}
	for _, c := range clusters {
		if _, err := envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{Paths: []string{definition}, ErrorIfPathMissing: true}); err != nil {
			t.Fatal(err)
		}
		c.CreateAll(t, workload)
	}
	kubeconfig, dir := apitest.Kubeconfig(t, configs), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "policies-example", "rebel-base", "policies"))); err != nil {
		t.Fatal(err)
	}
	written := strings.Join(each("created CiliumNetworkPolicy/fairlead.rebel-base", "created ServiceExport/hangar", "created ServiceExport/rebel-base",
		"claimed Service/hangar", "claimed Service/rebel-base"), "\n")
	if diff := cmp.Diff(written, reconcile(t, dir, kubeconfig)); diff != "" {
		t.Errorf("the first time (-want +got):\n%s", diff)
	}
	shared := map[string]string{"owner": "leia", "service.cilium.io/global": "true", "service.cilium.io/shared": "true", "service.cilium.io/affinity": "local"}
	if diff := cmp.Diff(shared, annotations(t, clusters[1])); diff != "" {
		t.Error(diff)
	}
	if again := reconcile(t, dir, kubeconfig); again != "" {
		t.Errorf("the second time:\n%s", again)
	}
	if err := os.Remove(filepath.Join(dir, "rebel-base.yaml")); err != nil {
		t.Fatal(err)
	}
	gone := strings.Join(each("pruned CiliumNetworkPolicy/fairlead.rebel-base", "pruned ServiceExport/rebel-base", "released Service/rebel-base"), "\n")
	if diff := cmp.Diff(gone, reconcile(t, dir, kubeconfig)); diff != "" {
		t.Errorf("without the policy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"owner": "leia"}, annotations(t, clusters[1])); diff != "" {
		t.Error(diff)
	}
}

// each says what is the same in both clusters.
func each(lines ...string) []string {
	var out []string
	for _, cluster := range []string{"cluster1: ", "cluster2: "} {
		for _, line := range lines {
			out = append(out, cluster+line)
		}
	}
	return out
}
