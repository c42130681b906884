// SPDX-License-Identifier: Apache-2.0

// Package edit changes JSON objects the way that people and faults do, for tests
// that must hold whatever an object says: values go missing, have another type,
// are another value of the same objects, or one that something takes for special.
//
// An object stays JSON, so that a fuzzer reaches what reads the object and not
// only what parses its text.
//
// Out of scope: what the objects are.
package edit
