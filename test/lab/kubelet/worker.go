// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead/fairlead/test/lab/process"
)

// retry is the pause before asking the API server, or the kernel, again.
const retry = 200 * time.Millisecond

// worker looks after one pod from binding to deletion.
type worker struct {
	k    *Kubelet
	node *node
	// first is the pod as it was when the worker began; its spec does not change.
	first *corev1.Pod
	// wake has room for one: the worker looks at everything when woken.
	wake chan struct{}
	// grace is set once, before stop is called.
	grace    atomic.Int64
	stopping atomic.Bool
	stop     context.CancelFunc

	mu         sync.Mutex
	place      *place
	containers []*container
	// trouble says why containers could not be started.
	trouble error
}

func newWorker(k *Kubelet, n *node, pod *corev1.Pod) *worker {
	w := &worker{k: k, node: n, first: pod, wake: make(chan struct{}, 1)}
	for _, c := range pod.Spec.Containers {
		w.containers = append(w.containers, newContainer(c, pod.Spec.RestartPolicy))
	}
	return w
}

// poke wakes the worker.
func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// terminate begins the end: containers get the grace to stop. Only the first
// call counts.
func (w *worker) terminate(grace time.Duration) {
	if w.stopping.CompareAndSwap(false, true) {
		w.grace.Store(int64(grace))
		w.stop()
	}
}

// run is the worker's goroutine. It ends when the pod is gone and nothing of it
// is left here. life ends with terminate, ctx with the whole lab.
func (w *worker) run(ctx, life context.Context) {
	var containers sync.WaitGroup
	containers.Go(func() { w.runContainers(life, &containers) })
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		w.report(life)
	}()
	<-life.Done()
	containers.Wait()
	<-reported
	w.mu.Lock()
	p := w.place
	w.mu.Unlock()
	if p != nil {
		if err := p.release(); err != nil {
			w.k.log.Warn("pod's network not removed", "pod", w.key(), "error", err)
		}
	}
	w.remove(ctx)
}

// key is namespace/name.
func (w *worker) key() string { return w.first.Namespace + "/" + w.first.Name }

// runContainers makes the pod's place, as often as it takes, and starts the
// containers.
func (w *worker) runContainers(life context.Context, group *sync.WaitGroup) {
	for {
		err := w.prepare()
		w.mu.Lock()
		w.trouble = err
		w.mu.Unlock()
		if err == nil {
			break
		}
		w.poke()
		select {
		case <-life.Done():
			return
		case <-time.After(retry):
		}
	}
	w.poke()
	for _, c := range w.containers {
		group.Go(func() { c.run(life, func() time.Duration { return time.Duration(w.grace.Load()) }) })
	}
}

// prepare makes the pod's place unless there is one, and what its containers
// need to start.
func (w *worker) prepare() error {
	if len(w.first.Spec.InitContainers) > 0 {
		return fmt.Errorf("init containers are not supported by the lab")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.place == nil {
		p, err := w.findPlace()
		if err != nil {
			return err
		}
		w.place = &p
	}
	dir := w.k.podDir(w.first)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range w.containers {
		if err := w.configure(c, *w.place); err != nil {
			return err
		}
	}
	return nil
}

// findPlace is the node itself for a pod on the host's network.
func (w *worker) findPlace() (place, error) {
	if w.first.Spec.HostNetwork {
		return place{ns: w.node.NS, ip: w.node.Address, release: func() error { return nil }}, nil
	}
	return w.node.attach(PodNSName(w.k.config.Cluster, w.first.Namespace, w.first.Name))
}

// configure fills in what a container's process is.
func (w *worker) configure(c *container, p place) error {
	f := facts{pod: w.first, cluster: w.k.config.Cluster, podIP: p.ip, hostIP: w.node.Address, path: w.k.config.Path}
	env, err := f.environment(c.spec)
	if err != nil {
		return err
	}
	args, err := argv(c.spec, env)
	if err != nil {
		return err
	}
	c.process = process.Spec{
		Argv: args, Env: env, Dir: c.spec.WorkingDir, NS: p.ns,
		Log: filepath.Join(w.k.podDir(w.first), c.spec.Name+".log"),
	}
	c.prober = prober{node: w.node.NS, pod: p.ns, ip: p.ip, env: env, spec: c.spec}
	c.changed = w.poke
	return nil
}

// status is what the pod's status should say now.
func (w *worker) status(old corev1.PodStatus) corev1.PodStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.place != nil {
		setAddresses(&old, w.place.ip, w.node.Address)
	}
	statuses := make([]corev1.ContainerStatus, len(w.containers))
	for i, c := range w.containers {
		statuses[i] = c.Status()
		if w.trouble != nil {
			statuses[i].State = waiting("CreateContainerConfigError", w.trouble.Error())
		}
	}
	return podStatus(old, statuses, metav1.Now())
}

// report writes the status whenever it changes, again and again while the API
// server does not take it, until life ends.
func (w *worker) report(life context.Context) {
	written := w.first.Status
	for {
		select {
		case <-life.Done():
			return
		case <-w.wake:
		}
		next := w.status(written)
		if apiequality.Semantic.DeepEqual(next, written) {
			continue
		}
		err := w.write(life, next)
		switch {
		case err == nil:
			written = next
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			return // deleted, or another pod of this name: the watch will tell
		default:
			time.AfterFunc(retry, w.poke)
		}
	}
}

// write replaces the status of this pod, told from others of its name by uid.
func (w *worker) write(ctx context.Context, s corev1.PodStatus) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": w.first.UID}, "status": s})
	if err != nil {
		return err
	}
	_, err = w.k.config.Client.CoreV1().Pods(w.first.Namespace).
		Patch(ctx, w.first.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// remove deletes the object for good, which is how a node says that nothing of
// the pod runs any more.
func (w *worker) remove(ctx context.Context) {
	now := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(w.first.UID))}
	for ctx.Err() == nil {
		err := w.k.config.Client.CoreV1().Pods(w.first.Namespace).Delete(ctx, w.first.Name, options)
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}
