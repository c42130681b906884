// SPDX-License-Identifier: Apache-2.0

// Command build builds the Kubernetes programs that the tests run and prints
// the directory that holds them. It does nothing when they are there.
//
// Usage: go run ./test/tools/build
//
// Out of scope: everything package tools does; this is its command line.
package main
