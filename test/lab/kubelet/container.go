// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/test/lab/process"
)

const (
	firstBackOff = 100 * time.Millisecond
	maxBackOff   = 5 * time.Second
	// calm is how long a container must run for its back-off to be forgotten.
	calm = 10 * time.Second
)

// container runs one container of a pod until it is stopped or has ended for
// good.
type container struct {
	spec    corev1.Container
	policy  corev1.RestartPolicy
	process process.Spec
	prober  prober
	// changed is called after every change of the status.
	changed func()

	mu     sync.Mutex
	status corev1.ContainerStatus
}

// newContainer has not started.
func newContainer(spec corev1.Container, policy corev1.RestartPolicy) *container {
	return &container{spec: spec, policy: policy, changed: func() {}, status: corev1.ContainerStatus{
		Name:  spec.Name,
		Image: spec.Image,
		State: waiting("ContainerCreating", ""),
	}}
}

// waiting is the state of a container that does not run.
func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// Status is a copy of the present status.
func (c *container) Status() corev1.ContainerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.status.DeepCopy()
}

// update edits the status and tells.
func (c *container) update(edit func(*corev1.ContainerStatus)) {
	c.mu.Lock()
	edit(&c.status)
	c.mu.Unlock()
	c.changed()
}

// run keeps the container running until ctx ends, then stops it within the
// grace that grace returns.
func (c *container) run(ctx context.Context, grace func() time.Duration) {
	backOff := firstBackOff
	for ctx.Err() == nil {
		start := time.Now()
		ended := c.once(ctx, grace)
		if ctx.Err() != nil || ended {
			return
		}
		if time.Since(start) > calm {
			backOff = firstBackOff
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, maxBackOff)
	}
}

// once runs the container's process one time and reports whether it has ended
// for good.
func (c *container) once(ctx context.Context, grace func() time.Duration) (ended bool) {
	p, err := process.Start(c.process)
	if err != nil {
		c.update(func(s *corev1.ContainerStatus) { s.State = waiting("RunContainerError", err.Error()) })
		return false
	}
	started := metav1.Now()
	c.update(func(s *corev1.ContainerStatus) {
		yes := true
		s.Started = &yes
		s.ContainerID = fmt.Sprintf("lab://%d", p.Pid())
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	})
	probing, stop := context.WithCancel(ctx)
	var prober sync.WaitGroup
	prober.Go(func() {
		c.prober.watch(probing, func(ready bool) {
			c.update(func(s *corev1.ContainerStatus) { s.Ready = ready })
		})
	})
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Stop(context.Background(), grace())
	}
	stop()
	prober.Wait()
	return c.terminated(p, started)
}

// terminated notes how a process ended.
func (c *container) terminated(p *process.Process, started metav1.Time) (ended bool) {
	code := int32(p.ExitCode())
	state := corev1.ContainerStateTerminated{
		ExitCode: code, Reason: "Completed", StartedAt: started, FinishedAt: metav1.Now(),
		ContainerID: fmt.Sprintf("lab://%d", p.Pid()),
	}
	if code != 0 {
		state.Reason = "Error"
	}
	ended = c.policy == corev1.RestartPolicyNever || c.policy == corev1.RestartPolicyOnFailure && code == 0
	c.update(func(s *corev1.ContainerStatus) {
		no := false
		s.Ready, s.Started = false, &no
		if ended {
			s.State = corev1.ContainerState{Terminated: &state}
			return
		}
		s.LastTerminationState = corev1.ContainerState{Terminated: &state}
		s.State = waiting("CrashLoopBackOff", "it ended and is started again")
		s.RestartCount++
	})
	return ended
}
