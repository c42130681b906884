// SPDX-License-Identifier: Apache-2.0

package dataplane

import "time"

const (
	// interval between two looks at the kernel, so that what somebody else
	// removes is back within a second.
	interval = 500 * time.Millisecond
	// firstRetry and lastRetry bound the waits after failures; each is twice
	// the one before.
	firstRetry = interval
	lastRetry  = 30 * time.Second
	// driftBurst repairs of drift are made at once, then one per driftRefill:
	// a program that removes what we add must not make the node busy.
	driftBurst  = 10
	driftRefill = 5 * time.Second
)

// backoff is the waits after failures. The zero value allows the first attempt.
type backoff struct {
	wait  time.Duration
	until time.Time
}

// allowed says that an attempt may be made now.
func (b *backoff) allowed(now time.Time) bool { return !now.Before(b.until) }

// failed makes the next attempt wait.
func (b *backoff) failed(now time.Time) {
	b.wait = min(max(firstRetry, 2*b.wait), lastRetry)
	b.until = now.Add(b.wait)
}

// reset allows an attempt at once.
func (b *backoff) reset() { *b = backoff{} }

// bucket limits repairs of drift. The zero value is full.
type bucket struct {
	spent int
	since time.Time
}

// spend notes a repair.
func (b *bucket) spend(now time.Time) {
	if b.spent == 0 {
		b.since = now
	}
	b.spent++
}

// allowed says that a repair may be made now.
func (b *bucket) allowed(now time.Time) bool {
	if back := int(now.Sub(b.since) / driftRefill); b.spent > 0 && back > 0 {
		b.spent = max(0, b.spent-back)
		b.since = b.since.Add(time.Duration(back) * driftRefill)
	}
	return b.spent < driftBurst
}
