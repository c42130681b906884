// SPDX-License-Identifier: Apache-2.0

// Package report says what a reconcile found, did or would do: as a value that
// is written as JSON or YAML, and as lines for people. The main result goes to
// one writer (what changed), everything else to another (what is pending, held,
// quarantined or failed).
//
// Words: an Action is what became, or would become, of one object; a Share is
// what one backend is offered of one rule's traffic, before and after.
//
// Out of scope: finding anything out.
package report
