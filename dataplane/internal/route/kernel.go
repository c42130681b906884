// SPDX-License-Identifier: Apache-2.0

package route

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

const room = "route"

// Kernel makes routes in the network namespace of the thread that made it.
type Kernel struct {
	handle *netlink.Handle
	// loose is for rules: the library's request for a dump of them is one that
	// the kernel refuses when it checks strictly.
	loose *netlink.Handle
}

// Open opens the kernel.
func Open() (*Kernel, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err == nil {
		err = h.SetStrictCheck(true)
	}
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	loose, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	return &Kernel{h, loose}, nil
}

// Close lets go of the kernel. Routes stay.
func (k *Kernel) Close() {
	k.handle.Close()
	k.loose.Close()
}

// Plan lists the changes that make the routes match.
func (k *Kernel) Plan(_ context.Context, s desired.State) (op.Plan, error) {
	have, err := k.routes()
	if err != nil {
		return op.Plan{}, err
	}
	set, remove := diff(want(s), have)
	var p op.Plan
	for _, r := range set {
		before := slices.ContainsFunc(have, func(h route) bool { return h.key() == r.key() })
		p.Add = append(p.Add, operation("set "+r.String(), func() error { return k.set(r, before) }))
	}
	for _, r := range remove {
		p.Remove = append(p.Remove, operation("remove "+r.String(), func() error { return k.remove(r) }))
	}
	return p, nil
}

// PlanRules lists the changes that make the routing rule match. It comes after
// the routes, and is removed before them.
func (k *Kernel) PlanRules(_ context.Context, _ desired.State) (op.Plan, error) {
	have, err := k.rules()
	if err != nil {
		return op.Plan{}, err
	}
	plain := make([]rule, len(have))
	for i, r := range have {
		plain[i] = read(r)
	}
	keep := diffRules(plain)
	var p op.Plan
	if keep < 0 {
		r := rule{RulePriority, true}
		p.Add = append(p.Add, operation("add rule "+r.String(), func() error { return k.loose.RuleAdd(newRule()) }))
	}
	for i, r := range have {
		if i != keep {
			p.Remove = append(p.Remove, k.removeRule(r))
		}
	}
	return p, nil
}

// CleanUp lists what removes everything that is ours: the rules first, then the
// routes.
func (k *Kernel) CleanUp(ctx context.Context) ([]op.Op, error) {
	have, err := k.rules()
	if err != nil {
		return nil, err
	}
	var out []op.Op
	for _, r := range have {
		out = append(out, k.removeRule(r))
	}
	p, err := k.Plan(ctx, desired.State{})
	return append(out, p.Remove...), err
}

func (k *Kernel) removeRule(r netlink.Rule) op.Op {
	return operation("remove rule "+read(r).String(), func() error { return k.loose.RuleDel(&r) })
}

func operation(text string, do func() error) op.Op {
	return op.Op{Room: room, Text: text, Do: func(context.Context) error { return do() }}
}

// newRule is the rule that we want.
func newRule() *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.Table, r.Protocol = unix.AF_INET, RulePriority, Table, Protocol
	return r
}

// read is a rule with our mark as diffRules sees it.
func read(r netlink.Rule) rule {
	plain := r.Table == Table && r.Src == nil && r.Dst == nil && r.IifName == "" && r.OifName == "" && r.Mark == 0 && !r.Invert
	return rule{priority: r.Priority, plain: plain}
}

// rules lists the rules with our mark.
func (k *Kernel) rules() ([]netlink.Rule, error) {
	list, err := retry(func() ([]netlink.Rule, error) { return k.loose.RuleList(unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list routing rules: %w", err)
	}
	return slices.DeleteFunc(list, func(r netlink.Rule) bool {
		return r.Protocol != Protocol || r.Priority < RulePriority || r.Priority >= RulePriority+RulePriorities
	}), nil
}

// routes lists the routes with our mark.
func (k *Kernel) routes() ([]route, error) {
	filter := &netlink.Route{Table: Table}
	list, err := retry(func() ([]netlink.Route, error) {
		return k.handle.RouteListFiltered(unix.AF_INET, filter, netlink.RT_FILTER_TABLE)
	})
	if errors.Is(err, unix.ENOENT) {
		return nil, nil // the kernel makes a table with its first route
	}
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []route
	for _, r := range list {
		if r.Protocol != Protocol || r.Dst == nil {
			continue
		}
		got, err := k.parse(r)
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

// parse reads a kernel route.
func (k *Kernel) parse(r netlink.Route) (route, error) {
	addr, _ := netip.AddrFromSlice(r.Dst.IP.To4())
	ones, _ := r.Dst.Mask.Size()
	out := route{
		prefix: netip.PrefixFrom(addr, ones), metric: uint32(r.Priority),
		unreachable: r.Type == unix.RTN_UNREACHABLE,
	}
	if out.unreachable {
		return out, nil
	}
	out.via, _ = netip.AddrFromSlice(r.Gw.To4())
	out.source, _ = netip.AddrFromSlice(r.Src.To4())
	l, err := k.handle.LinkByIndex(r.LinkIndex)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return out, nil // it went since the dump, and the route with it
	}
	if err != nil {
		return out, fmt.Errorf("find the interface of %s: %w", out.prefix, err)
	}
	out.device = l.Attrs().Name
	return out, nil
}

// set adds a route, or replaces the one of ours that has its place. A route of
// somebody else's in that place is an error.
func (k *Kernel) set(r route, before bool) error {
	n, err := k.build(r)
	if err != nil {
		return err
	}
	if before {
		return k.handle.RouteReplace(n)
	}
	return k.handle.RouteAdd(n)
}

func (k *Kernel) remove(r route) error {
	n, err := k.build(r)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil // the interface went, and the route with it
	}
	if err != nil {
		return err
	}
	err = k.handle.RouteDel(n)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// build is a route as the library takes it.
func (k *Kernel) build(r route) (*netlink.Route, error) {
	n := &netlink.Route{
		Table: Table, Protocol: Protocol, Priority: int(r.metric),
		Dst: &net.IPNet{IP: r.prefix.Addr().AsSlice(), Mask: net.CIDRMask(r.prefix.Bits(), r.prefix.Addr().BitLen())},
	}
	if r.unreachable {
		n.Type = unix.RTN_UNREACHABLE
		return n, nil
	}
	if r.via.IsValid() {
		n.Gw = r.via.AsSlice()
	}
	if r.source.IsValid() {
		n.Src = r.source.AsSlice()
	}
	if r.device == "" {
		return n, nil
	}
	l, err := k.handle.LinkByName(r.device)
	if err != nil {
		return nil, err
	}
	n.LinkIndex = l.Attrs().Index
	if !r.via.IsValid() {
		n.Scope = netlink.SCOPE_LINK
	}
	return n, nil
}

// retry repeats a dump that the kernel says was interrupted by a change.
func retry[T any](dump func() (T, error)) (out T, err error) {
	const attempts = 5
	for range attempts {
		if out, err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, err
}
