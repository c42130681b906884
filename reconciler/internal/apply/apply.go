// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// Request is what one cluster shall hold.
type Request struct {
	Client kube.Client
	Bundle manifest.Bundle
	// Revision that the bundle was compiled from, as it is recorded.
	Revision string
	// Held fragments: their objects stay as they are.
	Held []manifest.FragmentID
	// Traffic of the cluster's callers, as it is recorded.
	Traffic []v1alpha1.TrafficShare
}

// run is one apply in progress.
type run struct {
	request Request
	parent  *unstructured.Unstructured
	// last is the traffic that was recorded before.
	last []v1alpha1.TrafficShare

	lock    sync.Mutex
	outcome Outcome
	// remaining are the members that exist in the end.
	remaining []*unstructured.Unstructured
	// unreleased are the claims that could not be given back.
	unreleased []v1alpha1.ClaimedObject
	// down says that the server cannot be reached any more: the rest is left
	// to the next run.
	down string
}

// Apply makes the cluster hold the bundle and returns what it did. It writes
// nothing where nothing differs. When ctx ends, the writes in flight are
// finished and no other is begun.
func Apply(ctx context.Context, req Request) Outcome {
	state, err := Read(ctx, req.Client, req.Bundle)
	if err != nil {
		return Outcome{Error: kube.Explain(err)}
	}
	if reason := state.refuse(req.Bundle); reason != "" {
		return Outcome{Error: reason}
	}
	plan := NewPlan(state, req.Bundle, req.Held)
	last, err := state.Traffic()
	if err != nil {
		return Outcome{Error: err.Error()}
	}
	r := &run{request: req, parent: state.parent, last: last, outcome: Outcome{Actions: plan.Noted, Unchanged: plan.Unchanged}}
	if len(plan.Steps) > 0 {
		if r.announce(ctx, state, plan); r.outcome.Error != "" {
			return r.outcome
		}
		r.execute(ctx, plan)
	}
	r.settle(ctx, plan)
	sortActions(r.outcome.Actions)
	return r.outcome
}

// announce writes the record that must be there before the first member.
func (r *run) announce(ctx context.Context, state State, plan Plan) {
	record, err := before(r.request, state, plan)
	if err == nil && (r.parent == nil || !Equal(record, r.parent)) {
		err = r.writeParent(ctx, record)
	}
	if err != nil {
		r.outcome.Error = kube.Explain(err)
	}
}

// execute takes the steps, rank by rank.
func (r *run) execute(ctx context.Context, plan Plan) {
	done := 0
	for len(plan.Steps) > done {
		rank := plan.Steps[done].rank()
		var group errgroup.Group
		group.SetLimit(parallelRequests)
		for ; done < len(plan.Steps) && plan.Steps[done].rank() == rank; done++ {
			step := plan.Steps[done]
			group.Go(func() error {
				r.take(ctx, step)
				return nil
			})
		}
		_ = group.Wait() // every step reports by its action
	}
}

// take takes one step, unless the run was interrupted or the server is gone.
func (r *run) take(ctx context.Context, step Step) {
	r.lock.Lock()
	stop := r.down != "" || ctx.Err() != nil
	r.lock.Unlock()
	if stop {
		return
	}
	var result result
	switch {
	case step.Claim:
		result = r.claim(ctx, step)
	case step.Desired != nil:
		result = r.write(ctx, step)
	default:
		result = r.remove(ctx, step)
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if result.lost {
		r.down = result.message
		return
	}
	if step.Claim && step.Desired == nil && result.op == Failed {
		r.unreleased = append(r.unreleased, recorded(step.Ref, step.Fragment))
	}
	if result.exists != nil {
		r.remaining = append(r.remaining, result.exists)
	}
	if result.op == "" {
		return
	}
	r.outcome.Actions = append(r.outcome.Actions,
		Action{Op: result.op, Ref: step.Ref, Fragment: step.Fragment, Message: result.message})
}

// settle writes the record of what was done, or says why it was cut short: then
// the record that announced the run stays, and the next run goes on from it.
func (r *run) settle(ctx context.Context, plan Plan) {
	switch {
	case r.down != "":
		r.outcome.Error = fmt.Sprintf("%s, after %d of %d changes", r.down, r.outcome.Writes(), len(plan.Steps))
		return
	case ctx.Err() != nil:
		r.outcome.Error = fmt.Sprintf("interrupted after %d of %d changes", r.outcome.Writes(), len(plan.Steps))
		return
	}
	outcome := v1alpha1.OutcomeApplied
	if r.outcome.Count(Failed)+r.outcome.Count(Held)+r.outcome.Count(Pending) > 0 {
		outcome = v1alpha1.OutcomePartial
	}
	spec := v1alpha1.AppliedBundleSpec{Outcome: outcome, Traffic: KeepHeld(r.request.Traffic, r.last, r.request.Held),
		Claims: sortClaims(append(slices.Clone(plan.claims), r.unreleased...))}
	record, err := after(r.request, spec, r.members(plan))
	if err == nil && (r.parent == nil || !Equal(record, r.parent)) {
		err = r.writeParent(ctx, record)
	}
	if err != nil {
		r.outcome.Error = kube.Explain(err)
	}
}

// members returns what the set holds after the run, or would hold had the
// server not refused: what is tried again each time must be found each time.
func (r *run) members(plan Plan) []*unstructured.Unstructured {
	return append(slices.Clone(plan.kept), r.remaining...)
}
