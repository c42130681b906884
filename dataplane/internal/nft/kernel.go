// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"sigs.k8s.io/knftables"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/dataplane/internal/op"
)

const room = "nft"

// program is nft(8).
const program = "nft"

// Kernel makes the table in the network namespace of the calling thread.
type Kernel struct {
	nft knftables.Interface
	// clean is the generation of the ruleset in which the table was found to be
	// as in cleanFor; zero for never.
	clean    uint32
	cleanFor content
}

// Open finds the nft program and checks that it may be used.
func Open() (*Kernel, error) {
	k, err := knftables.New(knftables.IPv4Family, Table)
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return &Kernel{nft: k}, nil
}

// Plan lists the transactions that make the table match. While the kernel's
// ruleset is the one that was found to match, it is not read again.
func (k *Kernel) Plan(ctx context.Context, s desired.State) (op.Plan, error) {
	w := want(s)
	before, err := generation()
	if err != nil {
		return op.Plan{}, err
	}
	if before == k.clean && equal(w, k.cleanFor) {
		return op.Plan{}, nil
	}
	have, err := k.list(ctx)
	if err != nil {
		return op.Plan{}, err
	}
	now, later := diff(w, have)
	if now.empty() && later.empty() {
		k.clean, k.cleanFor = before, w
	}
	return op.Plan{Add: k.ops(now), Remove: k.ops(later)}, nil
}

// CleanUp lists what removes the table.
func (k *Kernel) CleanUp(ctx context.Context) ([]op.Op, error) {
	have, err := k.list(ctx)
	if err != nil || have.missing {
		return nil, err
	}
	return []op.Op{{Room: room, Text: "remove table ip " + Table, Do: func(ctx context.Context) error {
		tx := k.nft.NewTransaction()
		tx.Delete(&knftables.Table{})
		return k.nft.Run(ctx, tx)
	}}}, nil
}

func (k *Kernel) ops(c change) []op.Op {
	if c.empty() {
		return nil
	}
	return []op.Op{{Room: room, Text: c.String(), Do: func(ctx context.Context) error {
		return k.nft.Run(ctx, k.transaction(c))
	}}}
}

// list reads the table, in one run of nft: knftables needs one for each set and
// does not read ranges.
func (k *Kernel) list(ctx context.Context) (observed, error) {
	cmd := exec.CommandContext(ctx, program, "-j", "list", "table", "ip", Table)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && strings.Contains(stderr.String(), "No such file or directory") {
		return observed{missing: true}, nil
	}
	if err != nil {
		return observed{}, fmt.Errorf("list table ip %s: %w: %s", Table, err, strings.TrimSpace(stderr.String()))
	}
	return parse(out)
}

// transaction is a change as nft takes it.
func (k *Kernel) transaction(c change) *knftables.Transaction {
	tx := k.nft.NewTransaction()
	if c.rebuild {
		tx.Delete(&knftables.Table{})
	}
	tx.Add(&knftables.Table{})
	for _, s := range c.sets {
		tx.Add(s.object())
	}
	for _, x := range c.chains {
		tx.Add(x.object())
	}
	for _, x := range c.chains {
		for _, r := range x.rules {
			tx.Add(&knftables.Rule{Chain: x.name, Rule: r.text, Comment: knftables.PtrTo(r.comment())})
		}
	}
	for _, e := range c.deletes {
		tx.Delete(e.object())
	}
	for _, e := range c.adds {
		tx.Add(e.object())
	}
	// Rules refer to sets, and the elements of verdict maps to chains.
	for _, name := range c.staleChains {
		tx.Flush(&knftables.Chain{Name: name})
	}
	for _, s := range c.staleSets {
		if s.isMap {
			tx.Delete(&knftables.Map{Name: s.name})
		} else {
			tx.Delete(&knftables.Set{Name: s.name})
		}
	}
	for _, name := range c.staleChains {
		tx.Delete(&knftables.Chain{Name: name})
	}
	return tx
}

// object is the set as knftables takes it.
func (s set) object() knftables.Object {
	var flags []knftables.SetFlag
	if s.interval {
		flags = []knftables.SetFlag{knftables.IntervalFlag}
	}
	typ, typeOf := s.key, ""
	if s.value != "" {
		typ += " : " + s.value
	}
	if s.typeOf {
		typ, typeOf = "", typ
	}
	if s.value != "" {
		return &knftables.Map{Name: s.name, Type: typ, TypeOf: typeOf, Flags: flags}
	}
	return &knftables.Set{Name: s.name, Type: typ, TypeOf: typeOf, Flags: flags}
}

// object is the chain as knftables takes it.
func (c chain) object() knftables.Object {
	out := &knftables.Chain{Name: c.name}
	if c.hook != "" {
		out.Type = knftables.PtrTo(knftables.BaseChainType(c.kind))
		out.Hook = knftables.PtrTo(knftables.BaseChainHook(c.hook))
		out.Priority = knftables.PtrTo(knftables.BaseChainPriority(fmt.Sprint(c.priority)))
	}
	return out
}

// object is the element as knftables takes it.
func (e element) object() knftables.Object {
	if e.set.value != "" {
		return &knftables.Element{Map: e.set.name, Key: strings.Split(e.key, separator), Value: strings.Split(e.value, separator)}
	}
	return &knftables.Element{Set: e.set.name, Key: strings.Split(e.key, separator)}
}
