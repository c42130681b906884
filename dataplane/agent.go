// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"time"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/engine"
	"github.com/fairlead/fairlead/dataplane/internal/source"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
)

// onceTimeout is how long --once waits for the API server to be read.
const onceTimeout = 30 * time.Second

// defaultMTU in bytes is taken before there was a way to a peer: Ethernet's.
const defaultMTU = 1500

// agent is the loop of one node.
type agent struct {
	o         options
	log       *slog.Logger
	source    source.Source
	engine    *engine.Engine
	publicKey string

	// state is what was wanted last, of the given generation; nil before the
	// first complete Snapshot with a Dataplane. It stays wanted while nothing
	// newer can be read.
	state      *desired.State
	generation int64
	// underlayMTU is the last that was seen: it is kept while the way to the
	// peers is gone, for it would come back with the same.
	underlayMTU int
	// lowest is how ill backends were, for as long as this process runs.
	lowest desired.Lowest
	// matched says that the kernel matched state once: what differs later is
	// drift.
	matched bool
	retry   backoff
	drift   bucket
	// last is how the last attempt went.
	last outcome
	// told is what was logged last about being ready.
	told telling
	// announceRetry is for writes to the API server.
	announceRetry backoff
}

// run looks at the kernel and the wishes until the context ends.
func (a *agent) run(ctx context.Context) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	begun := time.Now()
	for {
		o, err := a.round(ctx)
		if a.o.once && (err == nil || !source.IsWaiting(err) || time.Since(begun) > onceTimeout) {
			return onceResult(o, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-a.source.Changed():
		}
	}
}

// onceResult is the error of --once.
func onceResult(o outcome, err error) error {
	if err == nil && !o.ready {
		err = fmt.Errorf("not ready: %s: %s", o.reason, o.message)
	}
	return err
}

// round loads, makes the kernel match, and reports. The error is about reading
// and announcing; what became of the kernel is in the outcome.
func (a *agent) round(ctx context.Context) (outcome, error) {
	s, readErr := a.source.Read()
	if readErr == nil && s.Dataplane != nil {
		a.want(s)
	}
	o := a.apply(ctx)
	switch {
	case readErr != nil:
		o = outcome{reason: reasonUnreadable, message: readErr.Error(), mtu: -1}
	case s.Dataplane == nil:
		o = outcome{reason: reasonNoDataplane, message: "there is no Dataplane in this cluster yet, or no more; nothing is removed", mtu: -1}
	}
	if source.IsWaiting(readErr) {
		return o, readErr // the source says why, if it takes long
	}
	a.tell(o)
	return o, errors.Join(readErr, a.announce(ctx, s, o))
}

// want computes the State that a Snapshot asks for.
func (a *agent) want(s source.Snapshot) {
	if mtu := a.engine.UnderlayMTU(desired.Endpoints(s.Dataplane)); mtu != 0 {
		a.underlayMTU = mtu
	}
	in := desired.Input{
		Node: a.o.node, Dataplane: s.Dataplane, Routes: s.Routes, Slices: s.Slices,
		UnderlayMTU: cmp.Or(a.underlayMTU, defaultMTU), Lowest: &a.lowest,
	}
	a.lowest.Now = time.Now()
	var foreign []string
	for _, addr := range a.addresses(s) {
		if !addr.Is4() || in.Address.IsValid() {
			continue
		}
		has, err := a.engine.HasAddress(addr)
		if err != nil || !has {
			foreign = append(foreign, fmt.Sprintf("the address %s is not on this node", addr))
			continue
		}
		in.Address = addr
	}
	next := desired.Make(in)
	if !in.Address.IsValid() {
		next.Problems = append(next.Problems, foreign...)
	}
	if a.state == nil || !reflect.DeepEqual(*a.state, next) {
		a.retry.reset()
		a.matched = false
	}
	a.state, a.generation = &next, s.Dataplane.Generation
}

// addresses of the node: those that were given, or the Node object's.
func (a *agent) addresses(s source.Snapshot) []netip.Addr {
	if len(a.o.addresses) > 0 {
		return a.o.addresses
	}
	return s.Addresses
}

// apply makes the kernel match. Each change is logged, and called drift where
// the kernel had matched before.
func (a *agent) apply(ctx context.Context) outcome {
	now := time.Now()
	if a.state == nil {
		return outcome{reason: reasonNoDataplane, mtu: -1}
	}
	if !a.retry.allowed(now) || (a.matched && !a.drift.allowed(now)) {
		return a.last
	}
	done, err := a.engine.Apply(ctx, *a.state)
	message := "changed"
	if a.matched && len(done) > 0 {
		message = "mended drift"
		a.drift.spend(now)
	}
	for _, x := range done {
		a.log.Info(message, "op", x.String())
	}
	if err != nil {
		a.retry.failed(now)
	} else {
		a.retry.reset()
		a.matched = true
	}
	a.last = judge(*a.state, a.generation, err)
	return a.last
}

// tell logs trouble when it is another one, and its end.
func (a *agent) tell(o outcome) {
	next := telling{ready: o.ready, message: o.message}
	if next == a.told {
		return
	}
	if o.ready {
		a.log.Info("ready")
	} else {
		a.log.Warn("not ready", "reason", o.reason, "message", o.message)
	}
	a.told = next
}

// telling is what the log says about being ready.
type telling struct {
	ready   bool
	message string
}

// announce writes the NodeState where it differs.
func (a *agent) announce(ctx context.Context, s source.Snapshot, o outcome) error {
	now := time.Now()
	if !a.announceRetry.allowed(now) {
		return &source.Waiting{For: []string{"the next attempt to announce this node"}}
	}
	spec := v1alpha1.NodeStateSpec{PublicKey: a.publicKey, Addresses: addressList(a.addresses(s))}
	n := announcement(s.NodeState, spec, o, now)
	n.APIVersion, n.Kind, n.Name = v1alpha1.GroupVersion.String(), v1alpha1.KindNodeState, a.o.node
	err := a.source.Publish(ctx, n)
	if err == nil {
		a.announceRetry.reset()
		return nil
	}
	a.announceRetry.failed(now)
	if ctx.Err() == nil && !source.IsWaiting(err) {
		a.log.Warn("cannot announce this node, trying again", "reason", err)
	}
	return err
}
