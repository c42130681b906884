// SPDX-License-Identifier: Apache-2.0

// Package policiesexample holds known scenarios, one in each folder: what users
// write in policies, what was observed of the clusters in inventory.yaml, and
// what comes out in golden. Its test compiles each of them, so that they cannot
// rot; with -update it writes what came out.
//
// Out of scope: mistakes, which are tested beside the compiler.
package policiesexample
