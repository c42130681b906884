// SPDX-License-Identifier: Apache-2.0

// Package accepted tests that a real API server takes every object that the
// compiler writes, by a server-side dry run in which an unknown field is an
// error, against the CustomResourceDefinitions of the programs that read them:
// the examples, and every story of the compiler.
//
// Out of scope: what those programs make of the objects.
package accepted
