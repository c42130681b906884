// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// watch follows all pods until life ends. It does not use an informer, whose
// back-off of up to 30 seconds would make every test of an API server's outage
// wait.
func (k *Kubelet) watch(life context.Context) {
	for life.Err() == nil {
		if err := k.listAndWatch(life); err != nil {
			k.log.Debug("pods not watched", "cluster", k.config.Cluster, "error", err)
		}
		select {
		case <-life.Done():
		case <-time.After(retry):
		}
	}
}

// listAndWatch looks at every pod and then at every change, until the API
// server ends the watch.
func (k *Kubelet) listAndWatch(ctx context.Context) error {
	pods := k.config.Client.CoreV1().Pods(metav1.NamespaceAll)
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	present := map[types.UID]bool{}
	for i := range list.Items {
		present[list.Items[i].UID] = true
		if err := k.see(ctx, &list.Items[i]); err != nil {
			return err
		}
	}
	k.forget(func(uid types.UID) bool { return !present[uid] })
	w, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		pod, ok := e.Object.(*corev1.Pod)
		switch {
		case !ok:
			return apierrors.FromObject(e.Object)
		case e.Type == watch.Deleted:
			k.forget(func(uid types.UID) bool { return uid == pod.UID })
		default:
			if err := k.see(ctx, pod); err != nil {
				return err
			}
		}
	}
	return errors.New("the watch ended")
}

// see does what a pod's present state asks for.
func (k *Kubelet) see(ctx context.Context, pod *corev1.Pod) error {
	if schedulable(pod) {
		return k.schedule(ctx, pod)
	}
	n := k.nodes[pod.Spec.NodeName]
	if n == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.workers[pod.UID]
	if w == nil {
		if ctx.Err() != nil { // Close has begun
			return nil
		}
		w = newWorker(k, n, pod)
		k.workers[pod.UID] = w
		life, stop := context.WithCancel(context.Background())
		w.stop = stop
		k.all.Go(func() { w.run(ctx, life) })
	}
	if pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil {
		w.terminate(time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
	}
	return nil
}

// schedule binds a pod to the node whose turn it is. The watch will show the
// bound pod.
func (k *Kubelet) schedule(ctx context.Context, pod *corev1.Pod) error {
	owner := placementOf(pod, "").owner
	name := choose(pod, k.config.Nodes, k.turn, siblings(k.placed, owner))
	if name == "" {
		k.log.Warn("no node for pod", "pod", pod.Namespace+"/"+pod.Name, "cluster", k.config.Cluster)
		return nil
	}
	err := k.config.Client.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: name},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return fmt.Errorf("bind %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	if err == nil { // otherwise it was bound already, and this is an old state of it
		k.turn++
		k.placed[pod.UID] = placementOf(pod, name)
	}
	return nil
}

// forget ends the workers of pods that are no more: without a grace, because
// whoever forced the deletion did not want one.
func (k *Kubelet) forget(gone func(types.UID) bool) {
	for uid := range k.placed {
		if gone(uid) {
			delete(k.placed, uid)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for uid, w := range k.workers {
		if gone(uid) {
			w.terminate(0)
			delete(k.workers, uid)
		}
	}
}
