// SPDX-License-Identifier: Apache-2.0

// Program docs writes the generated pages below docs/:
//
//	codes/README.md, codes/FL*.md   from compiler.Codes() and the stories of the
//	                                tests: a wrong example with its exact message
//	reference/<kind>.md             from the Go types of schemas/v1alpha1, what
//	                                their comments and markers say, and the
//	                                feature matrix
//	reference/features.md           from the feature matrix
//
// Pages of codes that are gone are removed. The same input gives the same
// bytes: pages are stale exactly when running it changes one.
//
// Usage: docs ROOT, with the repository's root.
//
// Out of scope: pages that people write, and the schemas themselves
// (test/tools/gen).
package main
