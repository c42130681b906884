// SPDX-License-Identifier: Apache-2.0

package op

import (
	"context"
	"fmt"
)

// Op is one change to the kernel. It prints as what it does.
type Op struct {
	// Room is the kind of kernel object, such as "route".
	Room string
	// Text says what is done to what, such as "add 10.2.0.0/16 dev fl12345678".
	// It never holds a secret.
	Text string
	// Do makes the change.
	Do func(context.Context) error
}

// String is the room and the text.
func (o Op) String() string { return o.Room + ": " + o.Text }

// Run makes the change. The error names it.
func (o Op) Run(ctx context.Context) error {
	if err := o.Do(ctx); err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

// Plan is what makes one room match: first what is added or changed in place,
// later what is removed. Both are in the order in which they must be done.
type Plan struct {
	Add, Remove []Op
}
