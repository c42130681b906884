// SPDX-License-Identifier: Apache-2.0

// Program gen writes every generated file of the contract from the Go types of
// schemas/v1alpha1, the one source of shape:
//
//	types → deep copies             schemas/v1alpha1/zz_generated.deepcopy.go
//	      → custom resources        deploy/crds/fairlead.dev_*.yaml
//	                                └→ schema of each kind that people write (JSON Schema)
//	                                   schemas/v1alpha1/zz_generated.<kind>.json
//	                                   └→ CUE definition
//	                                      schemas/v1alpha1/zz_generated.<kind>.cue
//
// It also copies the custom resources of the MCS API (KEP-1645) beside ours.
// The same types give the same bytes: generated files are stale exactly when
// running it changes one.
//
// Usage: go -C test/tools/gen run . ROOT, with the repository's root.
//
// Out of scope: checking documents; that is compiler/internal/source.
package main
