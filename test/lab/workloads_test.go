// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// TestWorkloads is one cluster of two nodes in which every kind of workload and
// of pod behaves.
func TestWorkloads(t *testing.T) {
	ctx := bounded(t)
	l := start(ctx, t, Config{Clusters: []ClusterConfig{{Name: "one", Nodes: []NodeConfig{{}, {Labels: map[string]string{"zone": "b"}}}}}})
	c := l.Cluster("one")
	for _, step := range []struct {
		name string
		run  func(context.Context, *testing.T, *Cluster)
	}{
		{"stateful set", checkStatefulSet},
		{"daemon set on the host's network", checkDaemonSet},
		{"jobs", checkJobs},
		{"readiness by exec and HTTP", checkReadiness},
		{"what is not supported is said", checkUnsupported},
		{"forced deletion", checkForcedDeletion},
		{"graceful deletion", checkGracefulDeletion},
		{"pods reach pods of other nodes", checkAcrossNodes},
		{"custom resources", checkCustomResources},
		{"what cannot be applied", checkApplyErrors},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(bounded(t), t, c) })
	}
}

// apply is Apply that must succeed.
func apply(ctx context.Context, t *testing.T, c *Cluster, yaml string) {
	t.Helper()
	if err := c.Apply(ctx, []byte(yaml)); err != nil {
		t.Fatal(err)
	}
}

// waitPods is WaitPods in the default namespace that must succeed.
func waitPods(ctx context.Context, t *testing.T, c *Cluster, selector string, count int) []corev1.Pod {
	t.Helper()
	pods, err := c.WaitPods(ctx, "default", selector, count)
	if err != nil {
		t.Fatal(err)
	}
	return pods
}

// checkStatefulSet deletes a pod: its successor has its name.
func checkStatefulSet(ctx context.Context, t *testing.T, c *Cluster) {
	apply(ctx, t, c, `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      nodeSelector: {zone: b}
      containers: [{name: main, image: lab, command: [netecho, serve, --tcp, ":5432"]}]
`)
	before := waitPods(ctx, t, c, "app=db", 2)
	for i, p := range before {
		if p.Name != fmt.Sprintf("db-%d", i) || p.Spec.NodeName != "worker-2" {
			t.Errorf("pod %s on %s", p.Name, p.Spec.NodeName)
		}
	}
	if err := c.Client().CoreV1().Pods("default").Delete(ctx, "db-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, func() error {
		after := waitPods(ctx, t, c, "app=db", 2)
		if after[0].Name != "db-0" || after[0].UID == before[0].UID {
			return fmt.Errorf("the old %s is still there", after[0].Name)
		}
		return nil
	})
}

func checkDaemonSet(ctx context.Context, t *testing.T, c *Cluster) {
	apply(ctx, t, c, `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers: [{name: main, image: lab, command: [netecho, serve, --tcp, "$(POD_IP):9000"]}]
`)
	seen := map[string]string{}
	for _, p := range waitPods(ctx, t, c, "app=agent", 2) {
		seen[p.Spec.NodeName] = p.Status.PodIP
		ns, err := c.PodNS("default", p.Name)
		if err != nil || ns != c.Node(p.Spec.NodeName).NS {
			t.Errorf("%s runs in %v, %v", p.Name, ns, err)
		}
	}
	if seen["worker-1"] != "192.0.2.11" || seen["worker-2"] != "192.0.2.12" {
		t.Errorf("daemons at %v", seen)
	}
}

// checkJobs runs one that succeeds at the second attempt and one that fails.
func checkJobs(ctx context.Context, t *testing.T, c *Cluster) {
	marker := t.TempDir() + "/been-here"
	apply(ctx, t, c, strings.ReplaceAll(`
apiVersion: batch/v1
kind: Job
metadata: {name: second}
spec:
  template:
    spec:
      restartPolicy: OnFailure
      containers: [{name: main, image: lab, command: [sh, -c, "test -e MARKER || { touch MARKER; exit 1; }; echo done"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: never}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: lab, command: ["false"]}]
`, "MARKER", marker))
	eventually(ctx, t, func() error {
		second, err := c.Client().BatchV1().Jobs("default").Get(ctx, "second", metav1.GetOptions{})
		if err != nil {
			return err
		}
		never, err := c.Client().BatchV1().Jobs("default").Get(ctx, "never", metav1.GetOptions{})
		if err != nil || second.Status.Succeeded != 1 || never.Status.Failed != 1 {
			return fmt.Errorf("second %+v, never %+v, %v", second.Status, never.Status, err)
		}
		return nil
	})
	pods, err := c.Client().CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "job-name=second"})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := c.PodLog(ctx, "default", pods.Items[0].Name, "main"); err != nil || text != "done\n" {
		t.Errorf("log %q, %v", text, err)
	}
}

// checkReadiness makes a pod ready and unready again by a file.
func checkReadiness(ctx context.Context, t *testing.T, c *Cluster) {
	gate := t.TempDir() + "/gate"
	apply(ctx, t, c, strings.ReplaceAll(`
apiVersion: v1
kind: Pod
metadata: {name: gated, labels: {app: gated}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: by-exec
    image: lab
    command: [sleep, infinity]
    readinessProbe: {exec: {command: [test, -e, GATE]}, periodSeconds: 1, failureThreshold: 1}
  - name: by-http
    image: lab
    command: [sh, -c, "sleep infinity"]
    readinessProbe: {httpGet: {port: 10256, path: /healthz, host: ""}, periodSeconds: 1}
  hostNetwork: true
`, "GATE", gate))
	conditionIs := func(want bool) {
		t.Helper()
		eventually(ctx, t, func() error {
			p, err := c.Client().CoreV1().Pods("default").Get(ctx, "gated", metav1.GetOptions{})
			if err != nil || isReady(p) != want || len(p.Status.ContainerStatuses) != 2 || !p.Status.ContainerStatuses[1].Ready {
				return fmt.Errorf("want ready %t: %+v, %v", want, p.Status, err)
			}
			return nil
		})
	}
	conditionIs(false)
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	conditionIs(true)
	if err := os.Remove(gate); err != nil {
		t.Fatal(err)
	}
	conditionIs(false)
}

func checkUnsupported(ctx context.Context, t *testing.T, c *Cluster) {
	pod := func(name, spec string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {%s}\n---\n", name, spec)
	}
	apply(ctx, t, c, pod("init", `initContainers: [{name: i, image: lab, command: ["true"]}], containers: [{name: main, image: lab, command: ["true"]}]`)+
		pod("image", `containers: [{name: main, image: nginx}]`)+
		pod("missing", `containers: [{name: main, image: lab, command: [no-such-program]}]`))
	for name, want := range map[string]string{
		"init": "init containers are not supported", "image": "the lab has no images", "missing": "executable file not found",
	} {
		eventually(ctx, t, func() error {
			p, err := c.Client().CoreV1().Pods("default").Get(ctx, name, metav1.GetOptions{})
			if err != nil || p.Status.Phase != corev1.PodPending || len(p.Status.ContainerStatuses) == 0 ||
				p.Status.ContainerStatuses[0].State.Waiting == nil ||
				!strings.Contains(p.Status.ContainerStatuses[0].State.Waiting.Message, want) {
				return fmt.Errorf("%s: %+v, %v, want %q", name, p.Status, err, want)
			}
			return nil
		})
	}
	short, cancel := context.WithTimeout(ctx, 3*interval)
	defer cancel()
	if _, err := c.WaitPods(short, "default", "app=none", 1); err == nil || !strings.Contains(err.Error(), "0 pods") {
		t.Errorf("waiting for nothing: %v", err)
	}
}

// checkForcedDeletion deletes a pod that does not want to end, and makes
// another of its name at once.
func checkForcedDeletion(ctx context.Context, t *testing.T, c *Cluster) {
	const stubborn = `
apiVersion: v1
kind: Pod
metadata: {name: stubborn, labels: {app: stubborn}}
spec:
  containers: [{name: main, image: lab, command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"]}]
`
	apply(ctx, t, c, stubborn)
	first := waitPods(ctx, t, c, "app=stubborn", 1)[0]
	now := int64(0)
	err := c.Client().CoreV1().Pods("default").Delete(ctx, "stubborn", metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil {
		t.Fatal(err)
	}
	apply(ctx, t, c, stubborn)
	second := waitPods(ctx, t, c, "app=stubborn", 1)[0]
	if first.UID == second.UID || first.Status.PodIP == second.Status.PodIP {
		t.Errorf("first %s at %s, second %s at %s", first.UID, first.Status.PodIP, second.UID, second.Status.PodIP)
	}
}

// checkGracefulDeletion deletes a pod that says goodbye.
func checkGracefulDeletion(ctx context.Context, t *testing.T, c *Cluster) {
	goodbye := t.TempDir() + "/goodbye"
	apply(ctx, t, c, strings.ReplaceAll(`
apiVersion: v1
kind: Pod
metadata: {name: polite, labels: {app: polite}}
spec:
  containers:
  - name: main
    image: lab
    command: [sh, -c, "trap 'touch GOODBYE; exit 0' TERM; touch GOODBYE.up; while :; do sleep 0.1; done"]
    readinessProbe: {exec: {command: [test, -e, GOODBYE.up]}}
`, "GOODBYE", goodbye))
	waitPods(ctx, t, c, "app=polite", 1)
	begin := time.Now()
	if err := c.Client().CoreV1().Pods("default").Delete(ctx, "polite", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, func() error {
		if p, err := c.Client().CoreV1().Pods("default").Get(ctx, "polite", metav1.GetOptions{}); err == nil {
			return fmt.Errorf("it is still there: %+v", p.Status)
		}
		return nil
	})
	if _, err := os.Stat(goodbye); err != nil || time.Since(begin) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}

// checkAcrossNodes calls from the daemon's node to a pod of the other node, and
// sees the address of the node.
func checkAcrossNodes(ctx context.Context, t *testing.T, c *Cluster) {
	db := waitPods(ctx, t, c, "app=db", 2)[0]
	out, err := c.Node("worker-1").Command(ctx, "netecho", "call", "--address", db.Status.PodIP+":5432").CombinedOutput()
	if want := "1 pod=db-0 cluster=one peer=192.0.2.11\n"; err != nil || !strings.HasSuffix(string(out), want) {
		t.Errorf("said %q, %v, want %q", out, err, want)
	}
}

// checkCustomResources applies a definition and an object of it in one go.
func checkCustomResources(ctx context.Context, t *testing.T, c *Cluster) {
	apply(ctx, t, c, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: made-here}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: it, namespace: made-here}
spec: {size: 3}
---
apiVersion: v1
kind: Pod
metadata: {name: at-once, namespace: made-here, labels: {app: at-once}}
spec: {containers: [{name: main, image: lab, command: [sleep, infinity]}], terminationGracePeriodSeconds: 0}
`)
	client, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "things"}).
		Namespace("made-here").Get(ctx, "it", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if size, _, _ := unstructured.NestedInt64(o.Object, "spec", "size"); size != 3 || o.GetManagedFields()[0].Manager != fieldManager {
		t.Errorf("got %+v", o.Object)
	}
	if _, err := c.WaitPods(ctx, "made-here", "app=at-once", 1); err != nil {
		t.Error(err)
	}
}

func checkApplyErrors(ctx context.Context, t *testing.T, c *Cluster) {
	for yaml, want := range map[string]string{
		"kind: [": "read",
		"kind: Fish\napiVersion: sea/v1\nmetadata: {name: f}":                             "Fish f",
		"kind: Service\napiVersion: v1\nmetadata: {name: s}\nspec: {ports: [{port: -1}]}": "Service s",
	} {
		if err := c.Apply(ctx, []byte(yaml)); err == nil || !strings.Contains(err.Error(), "apply to one") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", yaml, err)
		}
	}
	if _, err := c.PodNS("default", "nobody"); err == nil {
		t.Error("a pod that does not exist has a namespace")
	}
	if _, err := c.Command(ctx, "default", "nobody", "true"); err == nil {
		t.Error("a program ran in a pod that does not exist")
	}
	if _, err := c.PodLog(ctx, "default", "nobody", "main"); err == nil {
		t.Error("a pod that does not exist has a log")
	}
}
