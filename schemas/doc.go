// SPDX-License-Identifier: Apache-2.0

// Package schemas carries the contract of v1alpha1 as data: for each kind that
// people write a JSON Schema and a CUE definition, both generated from the Go
// types, and rules.cue, written by hand, which says what shape cannot.
//
// It is apart from v1alpha1 so that a program that needs only the types, such
// as the privileged agent, links none of it. Editors that know JSON Schema can
// use the files where they are.
//
// Out of scope: reading CUE or checking anything; that is the compiler's.
package schemas

//go:generate go -C ../test/tools/gen run . ../../..
