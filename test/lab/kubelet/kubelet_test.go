// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestPool(t *testing.T) {
	p := newPool(netip.MustParsePrefix("10.0.0.0/29"))
	var got []string
	take := func() {
		a, err := p.take()
		if err != nil {
			got = append(got, "none")
			return
		}
		got = append(got, a.String())
	}
	for range 3 {
		take()
	}
	p.give(netip.MustParseAddr("10.0.0.2"))
	for range 4 { // .2 comes last, after those that were never used
		take()
	}
	want := "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.2 none"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// onNodes is a pod that its affinity allows on some nodes.
func onNodes(names ...string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{
				Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: names,
			}},
		}}},
	}}
}

func TestChoose(t *testing.T) {
	nodes := []Node{{Name: "a", Labels: map[string]string{"zone": "x"}}, {Name: "b"}, {Name: "c"}}
	for name, c := range map[string]struct {
		spec     corev1.PodSpec
		turn     int
		siblings map[string]int
		want     string
	}{
		"the first's turn":   {want: "a"},
		"the second's turn":  {turn: 4, want: "b"},
		"fewest siblings":    {siblings: map[string]int{"a": 1, "b": 1}, want: "c"},
		"selector":           {spec: corev1.PodSpec{NodeSelector: map[string]string{"zone": "x"}}, turn: 1, want: "a"},
		"selector, hostname": {spec: corev1.PodSpec{NodeSelector: map[string]string{corev1.LabelHostname: "c"}}, want: "c"},
		"selector, nobody":   {spec: corev1.PodSpec{NodeSelector: map[string]string{"zone": "y"}}, want: ""},
		"affinity by name":   {spec: corev1.PodSpec{Affinity: onNodes("b")}, want: "b"},
		"affinity, nobody":   {spec: corev1.PodSpec{Affinity: onNodes("d")}, want: ""},
	} {
		if got := choose(&corev1.Pod{Spec: c.spec}, nodes, c.turn, c.siblings); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSiblings(t *testing.T) {
	yes := true
	owned := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: "rs", Controller: &yes}}}}
	placed := map[types.UID]placement{
		"1": placementOf(owned, "a"), "2": placementOf(owned, "a"), "3": placementOf(&corev1.Pod{}, "b"),
	}
	if got := siblings(placed, "rs"); got["a"] != 2 || len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := siblings(placed, ""); len(got) != 0 {
		t.Errorf("pods without a controller are siblings: %v", got)
	}
}

// ofField is a variable that refers to a field.
func ofField(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

func TestEnvironment(t *testing.T) {
	f := facts{
		pod: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", Labels: map[string]string{"app/x": "y"}},
			Spec:       corev1.PodSpec{NodeName: "n"},
		},
		cluster: "c", podIP: netip.MustParseAddr("10.0.0.2"), hostIP: netip.MustParseAddr("192.0.2.1"), path: "/lab/bin",
	}
	env, err := f.environment(corev1.Container{Env: []corev1.EnvVar{
		{Name: "A", Value: "1"},
		{Name: "B", Value: "$(A)$(A) $$(A) $(NONE) $(POD_NAME)"},
		{Name: "HOST", ValueFrom: ofField("status.hostIP")},
		{Name: "LABEL", ValueFrom: ofField("metadata.labels['app/x']")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A=1", "B=11 $(A) $(NONE) p", "HOST=192.0.2.1", "LABEL=y",
		"POD_NAME=p", "POD_NAMESPACE=ns", "POD_IP=10.0.0.2", "NODE_NAME=n", "CLUSTER_NAME=c"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %q in %q", want, env)
		}
	}
	if !strings.HasPrefix(env[0], "PATH=/lab/bin:") {
		t.Errorf("path %q", env[0])
	}
	args, err := argv(corev1.Container{Command: []string{"x", "$(A)"}, Args: []string{"$(POD_IP)"}}, env)
	if err != nil || strings.Join(args, " ") != "x 1 10.0.0.2" {
		t.Errorf("argv %q, %v", args, err)
	}
}

func TestNotSupported(t *testing.T) {
	f := facts{pod: &corev1.Pod{}}
	for name, c := range map[string]corev1.Container{
		"envFrom":   {EnvFrom: []corev1.EnvFromSource{{}}},
		"secret":    {Env: []corev1.EnvVar{{Name: "S", ValueFrom: &corev1.EnvVarSource{}}}},
		"odd field": {Env: []corev1.EnvVar{{Name: "F", ValueFrom: ofField("spec.odd")}}},
	} {
		if _, err := f.environment(c); err == nil || !strings.Contains(err.Error(), "supported by the lab") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := argv(corev1.Container{Name: "c"}, nil); err == nil {
		t.Error("a container without a command was taken")
	}
}

func TestPhase(t *testing.T) {
	running := corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	crashed := corev1.ContainerStatus{State: waiting("CrashLoopBackOff", ""),
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}
	ended := func(code int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}}
	}
	created := corev1.ContainerStatus{State: waiting("ContainerCreating", "")}
	for _, c := range []struct {
		want     corev1.PodPhase
		statuses []corev1.ContainerStatus
	}{
		{corev1.PodPending, nil},
		{corev1.PodPending, []corev1.ContainerStatus{running, created}},
		{corev1.PodRunning, []corev1.ContainerStatus{running, crashed}},
		{corev1.PodRunning, []corev1.ContainerStatus{running, ended(1)}},
		{corev1.PodFailed, []corev1.ContainerStatus{ended(0), ended(1)}},
		{corev1.PodSucceeded, []corev1.ContainerStatus{ended(0)}},
	} {
		if got := phase(c.statuses); got != c.want {
			t.Errorf("%+v: %s, want %s", c.statuses, got, c.want)
		}
	}
}

func TestStatusKeepsTimesThatDidNotChange(t *testing.T) {
	ready := []corev1.ContainerStatus{{Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	first := metav1.NewTime(time.Unix(1, 0))
	later := metav1.NewTime(time.Unix(2, 0))
	s := podStatus(podStatus(corev1.PodStatus{}, ready, first), ready, later)
	if got := s.Conditions[3]; got.Type != corev1.PodReady || got.Status != corev1.ConditionTrue || got.LastTransitionTime != first {
		t.Errorf("ready: %+v", got)
	}
	s = podStatus(s, []corev1.ContainerStatus{{}}, later)
	if got := s.Conditions[3]; got.Status != corev1.ConditionFalse || got.LastTransitionTime != later || *s.StartTime != first {
		t.Errorf("not ready: %+v, started %s", got, s.StartTime)
	}
}
