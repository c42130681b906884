// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"net/netip"

	"github.com/fairlead/fairlead/dataplane/internal/conntrack"
	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/keys"
	"github.com/fairlead/fairlead/dataplane/internal/link"
	"github.com/fairlead/fairlead/dataplane/internal/nft"
	"github.com/fairlead/fairlead/dataplane/internal/op"
	"github.com/fairlead/fairlead/dataplane/internal/route"
	"github.com/fairlead/fairlead/dataplane/internal/sysctl"
	"github.com/fairlead/fairlead/dataplane/internal/wireguard"
)

// Options say what an Engine works with.
type Options struct {
	// Key of the node. The zero Private is enough to clean up.
	Key keys.Private
	// StateDir holds what must survive the agent.
	StateDir string
	// DeviceCommand starts a device process; see wireguard.Processes.
	DeviceCommand []string
	// Before, where set, is called before each Op; an error stops there.
	Before func(op.Op) error
}

// Engine makes one kernel match.
type Engine struct {
	o      Options
	links  *link.Kernel
	sysctl sysctl.Kernel
	wg     *wireguard.Kernel
	nft    *nft.Kernel
	routes *route.Kernel
	flows  *conntrack.Kernel
}

// Open opens the kernel.
func Open(o Options) (*Engine, error) {
	e := &Engine{o: o, sysctl: sysctl.Kernel{StateDir: o.StateDir}}
	var err error
	if e.links, err = link.Open(wireguard.Processes{Command: o.DeviceCommand, LogDir: o.StateDir}); err != nil {
		return nil, err
	}
	if e.routes, err = route.Open(); err != nil {
		e.links.Close()
		return nil, err
	}
	if e.wg, err = wireguard.Open(o.Key); err == nil {
		e.nft, err = nft.Open()
	}
	if err == nil {
		e.flows, err = conntrack.Open()
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close lets go of the kernel, and changes nothing in it.
func (e *Engine) Close() {
	e.links.Close()
	e.routes.Close()
	if e.wg != nil {
		e.wg.Close()
	}
	if e.flows != nil {
		e.flows.Close()
	}
}

// UnderlayMTU is the smallest MTU in bytes on the way to the addresses; zero
// where there is none.
func (e *Engine) UnderlayMTU(to []netip.Addr) int { return e.links.UnderlayMTU(to) }

// HasAddress says that the node has the address.
func (e *Engine) HasAddress(a netip.Addr) (bool, error) { return e.links.HasAddress(a) }

// pipeline is the rooms in the order in which things are added. Removals go the
// other way round.
//
//	key         without its directory no device process starts
//	links       everything else refers to them
//	sysctl      before the first packet
//	wireguard   peers before packets are sent to them
//	flows       only forgotten, and that after all translations to them
//	nft         translations before packets need them
//	routes      floors, then the way through the tunnel
//	rules       at last packets find the routes
func (e *Engine) pipeline() []func(context.Context, desired.State) (op.Plan, error) {
	return []func(context.Context, desired.State) (op.Plan, error){
		e.planKey, e.links.Plan, e.sysctl.Plan, e.wg.Plan, e.flows.Plan, e.nft.Plan, e.routes.Plan, e.routes.PlanRules,
	}
}

// planKey writes the private key back where its file was lost.
func (e *Engine) planKey(context.Context, desired.State) (op.Plan, error) {
	if !keys.Lost(e.o.StateDir) {
		return op.Plan{}, nil
	}
	return op.Plan{Add: []op.Op{{Room: "key", Text: "write the private key back to " + e.o.StateDir,
		Do: func(context.Context) error { return keys.Keep(e.o.StateDir, e.o.Key) }}}}, nil
}

// Apply makes the kernel match the State and returns the Ops that were run, of
// which the last may have failed. None means that it matched already.
func (e *Engine) Apply(ctx context.Context, s desired.State) (done []op.Op, err error) {
	var removals []op.Op
	for _, plan := range e.pipeline() {
		p, err := plan(ctx, s)
		if err != nil {
			return done, err
		}
		if done, err = e.run(ctx, done, p.Add); err != nil {
			return done, err
		}
		removals = append(append([]op.Op{}, p.Remove...), removals...)
	}
	if !s.Complete() {
		return done, nil
	}
	return e.run(ctx, done, removals)
}

// CleanUp removes everything that is ours from the kernel, and puts back what
// was changed. The first to go is what leads packets to the rest.
func (e *Engine) CleanUp(ctx context.Context) (done []op.Op, err error) {
	for _, plan := range []func(context.Context) ([]op.Op, error){
		e.routes.CleanUp, e.nft.CleanUp, e.links.CleanUp, e.sysctl.CleanUp,
	} {
		ops, err := plan(ctx)
		if err != nil {
			return done, err
		}
		if done, err = e.run(ctx, done, ops); err != nil {
			return done, err
		}
	}
	return done, nil
}

// run runs Ops and adds them to those that were run.
func (e *Engine) run(ctx context.Context, done, ops []op.Op) ([]op.Op, error) {
	for _, o := range ops {
		if e.o.Before != nil {
			if err := e.o.Before(o); err != nil {
				return done, err
			}
		}
		done = append(done, o)
		if err := o.Run(ctx); err != nil {
			return done, err
		}
	}
	return done, nil
}
