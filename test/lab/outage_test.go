// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func clientOf(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// configOf reads one context of a kubeconfig file.
func configOf(t *testing.T, path, name string) *rest.Config {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: path},
		&clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// kill kills a pod's only process.
func kill(t *testing.T, pod corev1.Pod) {
	t.Helper()
	id := strings.TrimPrefix(pod.Status.ContainerStatuses[0].ContainerID, "lab://")
	pid, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// restarted waits until a pod's container was started again and is ready.
func restarted(ctx context.Context, t *testing.T, c *Cluster, pod corev1.Pod) {
	t.Helper()
	eventually(ctx, t, func() error {
		p, err := c.Client().CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		s := p.Status.ContainerStatuses[0]
		if s.RestartCount != pod.Status.ContainerStatuses[0].RestartCount+1 || !isReady(p) ||
			s.LastTerminationState.Terminated == nil || p.Status.PodIP != pod.Status.PodIP {
			return fmt.Errorf("status %+v", p.Status)
		}
		return nil
	})
}

func checkRestart(ctx context.Context, t *testing.T, l *Lab) {
	c := l.Cluster("east")
	servers, err := c.WaitPods(ctx, "shop", "app=server", 2)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, servers[0])
	restarted(ctx, t, c, servers[0])
}

// checkDeletion scales to one and looks for the other's namespace and process.
func checkDeletion(ctx context.Context, t *testing.T, l *Lab) {
	c := l.Cluster("east")
	before, err := c.WaitPods(ctx, "shop", "app=server", 2)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Client().AppsV1().Deployments("shop").Patch(ctx, "server", types.MergePatchType,
		[]byte(`{"spec":{"replicas":1}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, func() error {
		list, err := c.Client().CoreV1().Pods("shop").List(ctx, metav1.ListOptions{LabelSelector: "app=server"})
		if err != nil || len(list.Items) != 1 {
			return fmt.Errorf("%d pods, %v", len(list.Items), err)
		}
		return nil
	})
	gone := 0
	for _, p := range before {
		if _, err := c.PodNS("shop", p.Name); err == nil {
			continue
		}
		gone++
		if _, err := os.Stat("/run/netns/east:shop:" + p.Name); !os.IsNotExist(err) {
			t.Errorf("%s: its namespace stayed: %v", p.Name, err)
		}
		if _, err := os.Stat("/proc/" + strings.TrimPrefix(p.Status.ContainerStatuses[0].ContainerID, "lab://")); !os.IsNotExist(err) {
			t.Errorf("%s: its process stayed: %v", p.Name, err)
		}
	}
	if gone != 1 {
		t.Errorf("%d pods are gone, want 1", gone)
	}
}

// checkOutage kills west's API server: east's goes on, west's Service goes on
// answering, and what happened meanwhile is reported when it is back.
func checkOutage(ctx context.Context, t *testing.T, l *Lab) {
	east, west := l.Cluster("east"), l.Cluster("west")
	servers, err := west.WaitPods(ctx, "shop", "app=server", 2)
	if err != nil {
		t.Fatal(err)
	}
	svc, err := west.Client().CoreV1().Services("shop").Get(ctx, "server", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	west.StopAPIServer()
	if _, err := west.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err == nil {
		t.Error("west's API server answers")
	}
	if _, err := east.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	out := run(ctx, t, west, "netecho", "call", "--address", svc.Spec.ClusterIP+":80", "--count", "5")
	if strings.Contains(out, "failed") {
		t.Errorf("during the outage: %s", out)
	}
	kill(t, servers[0])
	if err := west.StartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	restarted(ctx, t, west, servers[0])
}
