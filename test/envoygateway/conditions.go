// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// settleTimeout bounds the wait for Envoy Gateway's verdict; it comes within
// some tenths of a second on an idle machine.
const settleTimeout = time.Minute

// verdict is a part of an object's status.
type verdict struct {
	Conditions []metav1.Condition `json:"conditions"`
}

// status is what routes, policies and Backends have in common: a verdict for
// every parent or ancestor, or only one.
type status struct {
	Spec struct {
		ParentRefs []any `json:"parentRefs"`
	} `json:"spec"`
	Status struct {
		verdict   `json:",inline"`
		Parents   []verdict `json:"parents"`
		Ancestors []verdict `json:"ancestors"`
	} `json:"status"`
}

// The conditions that must be true, and those that must not.
var (
	wantedOfRoutes, wantedOfOthers = []string{"Accepted", "ResolvedRefs"}, []string{"Accepted"}
	unwanted                       = []string{"PartiallyInvalid", "Overridden", "Merged", "Conflicted", "Aggregated", "Warning"}
)

// judged tells whether Envoy Gateway writes a verdict on objects of the kind,
// and which conditions must be true there.
func judged(o *unstructured.Unstructured) []string {
	switch group, _, _ := strings.Cut(o.GetAPIVersion(), "/"); {
	case group == "gateway.networking.k8s.io" && strings.HasSuffix(o.GetKind(), "Route"):
		return wantedOfRoutes
	case group == "gateway.envoyproxy.io" && (strings.HasSuffix(o.GetKind(), "Policy") || o.GetKind() == "Backend"):
		return wantedOfOthers
	}
	return nil
}

// Accepted waits until every route among the objects is accepted by every
// parent with its references resolved, and every policy and Backend is
// accepted, by itself and without another one in its way.
func (s *Server) Accepted(t testing.TB, objects ...*unstructured.Unstructured) {
	t.Helper()
	s.acceptedBut(t, "", objects...)
}

// acceptedBut is Accepted, where references may be unresolved for one reason.
func (s *Server) acceptedBut(t testing.TB, reason string, objects ...*unstructured.Unstructured) {
	t.Helper()
	s.eventually(t, func() error {
		for _, o := range objects {
			if conditions := judged(o); conditions != nil {
				if err := s.verdictOn(t, o, conditions, reason); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// verdictOn is nil when all verdicts on an object as it is now are good, or bad
// for a reason that is an excuse.
func (s *Server) verdictOn(t testing.TB, o *unstructured.Unstructured, conditions []string, excuse string) error {
	found := s.get(t, o)
	var st status
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &st); err != nil {
		return err
	}
	verdicts := slices.Concat(st.Status.Parents, st.Status.Ancestors)
	if o.GetKind() == "Backend" {
		verdicts = []verdict{st.Status.verdict}
	}
	if len(verdicts) < max(1, len(st.Spec.ParentRefs)) {
		return fmt.Errorf("%s %s/%s: %d verdicts so far", o.GetKind(), o.GetNamespace(), o.GetName(), len(verdicts))
	}
	for _, v := range verdicts {
		for _, name := range conditions {
			if err := holds(v.Conditions, name, excuse, found.GetGeneration()); err != nil {
				return fmt.Errorf("%s %s/%s: %w", o.GetKind(), o.GetNamespace(), o.GetName(), err)
			}
		}
		for _, c := range v.Conditions {
			if slices.Contains(unwanted, c.Type) && c.Status == metav1.ConditionTrue {
				return fmt.Errorf("%s %s/%s is %s: %s", o.GetKind(), o.GetNamespace(), o.GetName(), c.Type, c.Message)
			}
		}
	}
	return nil
}

func holds(conditions []metav1.Condition, name, excuse string, generation int64) error {
	for _, c := range conditions {
		if c.Type != name {
			continue
		}
		if c.Status != metav1.ConditionTrue && c.Reason != excuse || c.ObservedGeneration != generation {
			return fmt.Errorf("%s is %s at generation %d of %d: %s: %s", name, c.Status, c.ObservedGeneration, generation, c.Reason, c.Message)
		}
		return nil
	}
	return fmt.Errorf("no condition %s", name)
}

// eventually polls until there is no complaint any more, and fails with the
// last one.
func (s *Server) eventually(t testing.TB, complaint func() error) {
	t.Helper()
	const interval, patience = 50 * time.Millisecond, 5 * time.Second
	nudged := time.Now()
	for deadline := time.Now().Add(settleTimeout); ; time.Sleep(interval) {
		err := complaint()
		if err == nil {
			return
		}
		if time.Since(nudged) > patience {
			nudged = time.Now()
			s.nudge(t)
		}
		select {
		case <-s.proc.Done():
			t.Fatalf("Envoy Gateway ended, saying last:\n%s", s.proc.Tail())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v; Envoy Gateway said last:\n%s", err, s.proc.Tail())
		}
	}
}
