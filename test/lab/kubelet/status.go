// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podStatus is a pod's status made of its containers'. Times of conditions that
// did not change are taken from old.
func podStatus(old corev1.PodStatus, statuses []corev1.ContainerStatus, now metav1.Time) corev1.PodStatus {
	s := corev1.PodStatus{
		Phase:             phase(statuses),
		QOSClass:          old.QOSClass,
		StartTime:         old.StartTime,
		HostIP:            old.HostIP,
		HostIPs:           old.HostIPs,
		PodIP:             old.PodIP,
		PodIPs:            old.PodIPs,
		ContainerStatuses: statuses,
	}
	if s.StartTime == nil {
		s.StartTime = &now
	}
	ready := len(statuses) > 0 && !slices.ContainsFunc(statuses, func(c corev1.ContainerStatus) bool { return !c.Ready })
	for _, c := range []struct {
		kind corev1.PodConditionType
		is   bool
	}{
		{corev1.PodScheduled, true},
		{corev1.PodInitialized, true},
		{corev1.ContainersReady, ready},
		{corev1.PodReady, ready},
	} {
		s.Conditions = append(s.Conditions, condition(old.Conditions, c.kind, c.is, now))
	}
	return s
}

// condition is a condition that keeps its time while its status stays.
func condition(old []corev1.PodCondition, kind corev1.PodConditionType, is bool, now metav1.Time) corev1.PodCondition {
	c := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, LastTransitionTime: now}
	if is {
		c.Status = corev1.ConditionTrue
	} else {
		c.Reason = "ContainersNotReady"
	}
	for _, o := range old {
		if o.Type == kind && o.Status == c.Status && !o.LastTransitionTime.IsZero() {
			c.LastTransitionTime = o.LastTransitionTime
		}
	}
	return c
}

// phase follows the API's definition of pod phases.
func phase(statuses []corev1.ContainerStatus) corev1.PodPhase {
	var done, failed, begun int
	for _, c := range statuses {
		switch {
		case c.State.Terminated != nil:
			done++
			begun++
			if c.State.Terminated.ExitCode != 0 {
				failed++
			}
		case c.State.Running != nil || c.LastTerminationState.Terminated != nil:
			begun++
		}
	}
	switch {
	case begun < len(statuses) || len(statuses) == 0:
		return corev1.PodPending
	case done < len(statuses):
		return corev1.PodRunning
	case failed > 0:
		return corev1.PodFailed
	}
	return corev1.PodSucceeded
}

// setAddresses notes where a pod is.
func setAddresses(s *corev1.PodStatus, pod, host netip.Addr) {
	s.PodIP, s.PodIPs = pod.String(), []corev1.PodIP{{IP: pod.String()}}
	s.HostIP, s.HostIPs = host.String(), []corev1.HostIP{{IP: host.String()}}
}
