// SPDX-License-Identifier: Apache-2.0

// Package explain finds what each field of an object follows from, by trying:
// it changes one value of the input at a time, builds the object anew, and sees
// which fields are different. So it needs no notes of where emitters took what
// from, and it cannot be wrong about what they did.
//
// A Change is one value of the input changed; an Effect is what one Change does
// to the object. Sources are the inputs of one field: the deepest ones that
// change it, because a block changes everything that is in it.
//
// Out of scope: what the inputs are and how the object is built. Both are the
// caller's.
package explain
