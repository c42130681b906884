// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// schedulable reports whether a pod waits for the scheduler that this package
// stands in for.
func schedulable(pod *corev1.Pod) bool {
	return pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil &&
		pod.Spec.SchedulerName == corev1.DefaultSchedulerName
}

// choose returns the node, among those the pod allows, that has the fewest
// siblings of it; the turn'th first, round and round, where that is equal. It
// returns "" when the pod allows none.
func choose(pod *corev1.Pod, nodes []Node, turn int, siblings map[string]int) string {
	best := ""
	for i := range nodes {
		n := nodes[(turn+i)%len(nodes)]
		if !labels.SelectorFromSet(pod.Spec.NodeSelector).Matches(labels.Set(n.labels())) || !affine(pod, n.Name) {
			continue
		}
		if best == "" || siblings[n.Name] < siblings[best] {
			best = n.Name
		}
	}
	return best
}

// placement is where a pod was bound to, and which controller it belongs to.
type placement struct {
	node  string
	owner types.UID
}

// placementOf is that of a pod on a node.
func placementOf(pod *corev1.Pod, node string) placement {
	p := placement{node: node}
	if c := metav1.GetControllerOf(pod); c != nil {
		p.owner = c.UID
	}
	return p
}

// siblings counts, per node, pods of the same controller.
func siblings(placed map[types.UID]placement, owner types.UID) map[string]int {
	counts := map[string]int{}
	for _, p := range placed {
		if owner != "" && p.owner == owner {
			counts[p.node]++
		}
	}
	return counts
}

// affine reports whether required node affinity by name allows a node. Other
// terms are not looked at.
func affine(pod *corev1.Pod, name string) bool {
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	terms := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	return slices.ContainsFunc(terms, func(t corev1.NodeSelectorTerm) bool {
		return !slices.ContainsFunc(t.MatchFields, func(r corev1.NodeSelectorRequirement) bool {
			return r.Key != metav1.ObjectNameField || !slices.Contains(r.Values, name)
		})
	})
}
