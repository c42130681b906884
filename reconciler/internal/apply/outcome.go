// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/manifest"
)

// Op says what became of one object.
type Op string

// The operations. Those before Pending are writes.
const (
	Created Op = "created"
	Changed Op = "changed"
	Pruned  Op = "pruned"
	// Claimed: fields of somebody else's object were set; Released: given back.
	Claimed  Op = "claimed"
	Released Op = "released"
	// Pending: the object that fields are claimed of does not exist yet.
	Pending Op = "pending"
	// Held: somebody else owns an object of that name, or the claimed fields;
	// it was not touched.
	Held Op = "held"
	// Failed: the server refused the write, or could not be reached.
	Failed Op = "failed"
)

// ops in the order in which they are listed.
var ops = []Op{Created, Changed, Pruned, Claimed, Released, Pending, Held, Failed}

// Writes tells whether the operation changes the cluster.
func (o Op) Writes() bool { return o != Pending && o != Held && o != Failed }

// Action is what became of one object.
type Action struct {
	Op  Op
	Ref manifest.Ref
	// Fragment that the object belongs to.
	Fragment manifest.FragmentID
	// Message says why, where the operation is no write; one line.
	Message string
}

// String returns the action as one line.
func (a Action) String() string {
	if a.Message == "" {
		return fmt.Sprintf("%s %s", a.Op, a.Ref)
	}
	return fmt.Sprintf("%s %s: %s", a.Op, a.Ref, a.Message)
}

// Outcome is what became of one cluster. It is complete also on failure: it
// says what was done before.
type Outcome struct {
	// Actions sorted by operation as listed above, then by object. What was as
	// it should be is not among them.
	Actions []Action
	// Unchanged counts the objects that were as they should be.
	Unchanged int
	// Recorded: the AppliedBundle was written.
	Recorded bool
	// Error says why the cluster as a whole could not be served, in one line;
	// empty where it could.
	Error string
}

// Count returns how many objects an operation was done to.
func (o Outcome) Count(op Op) int {
	n := 0
	for _, a := range o.Actions {
		if a.Op == op {
			n++
		}
	}
	return n
}

// OK tells whether nothing failed.
func (o Outcome) OK() bool { return o.Error == "" && o.Count(Failed) == 0 }

// Writes counts the objects that were written.
func (o Outcome) Writes() int {
	n := 0
	for _, a := range o.Actions {
		if a.Op.Writes() {
			n++
		}
	}
	return n
}

func sortActions(actions []Action) {
	rank := func(op Op) int { return slices.Index(ops, op) }
	slices.SortFunc(actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(rank(a.Op), rank(b.Op)), a.Ref.Compare(b.Ref), cmp.Compare(a.Fragment, b.Fragment))
	})
}
