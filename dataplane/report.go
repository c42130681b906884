// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// conditionReady is True when the kernel was made to match.
const conditionReady = "Ready"

// Reasons of the Ready condition.
const (
	reasonApplied     = "Applied"
	reasonNoDataplane = "NoDataplane"
	reasonInvalid     = "Invalid"
	reasonUnreadable  = "Unreadable"
	reasonKernel      = "KernelError"
)

// maxMessage of a condition in bytes, as the API has it.
const maxMessage = 32768

// outcome is how one round went.
type outcome struct {
	ready           bool
	reason, message string
	// generation of the Dataplane that was applied completely; zero keeps what
	// was announced.
	generation int64
	// mtu of the tunnel; negative keeps what was announced.
	mtu int
}

// judge says how a State was applied.
func judge(s desired.State, generation int64, err error) outcome {
	out := outcome{mtu: 0, reason: reasonKernel}
	if s.Tunnel != nil {
		out.mtu = s.Tunnel.MTU
	}
	switch {
	case err != nil:
		out.message = err.Error()
		out.mtu = -1
	case !s.Complete():
		out.reason = reasonInvalid
		out.message = "applied what could be used, and removed nothing: " + strings.Join(s.Problems, "; ")
	default:
		out.ready, out.reason, out.message = true, reasonApplied, "the kernel matches"
		out.generation = generation
	}
	return out
}

// announcement is the NodeState that says who the node is and how it went. What
// did not change keeps its time.
func announcement(before *v1alpha1.NodeState, node v1alpha1.NodeStateSpec, o outcome, now time.Time) v1alpha1.NodeState {
	var n v1alpha1.NodeState
	if before != nil {
		n.Status = *before.Status.DeepCopy()
	}
	n.Spec = node
	if o.generation != 0 {
		n.Status.ObservedGeneration = o.generation
	}
	if o.mtu >= 0 {
		n.Status.MTU = int32(o.mtu)
	}
	status := metav1.ConditionFalse
	if o.ready {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&n.Status.Conditions, metav1.Condition{
		Type: conditionReady, Status: status, Reason: o.reason, Message: o.message[:min(len(o.message), maxMessage)],
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
	})
	return n
}

// addressList is addresses as the API has them.
func addressList(list []netip.Addr) []v1alpha1.Address {
	var out []v1alpha1.Address
	for _, a := range list {
		out = append(out, v1alpha1.Address(a.String()))
	}
	return out
}
