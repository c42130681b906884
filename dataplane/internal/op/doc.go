// SPDX-License-Identifier: Apache-2.0

// Package op holds the values by which the rooms of the agent say what they
// are about to do: an Op is one change to the kernel, a Plan all the changes of
// one room. Nothing happens until an Op is run, so a Plan can be printed,
// counted and compared in tests.
//
// Out of scope: order between rooms, which is package engine's.
package op
