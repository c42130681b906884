// SPDX-License-Identifier: Apache-2.0

// Package kube reaches the API servers that a kubeconfig names, with limits
// that suit a program that talks to many of them, and says in one line of plain
// words why one cannot be reached.
//
// Out of scope: what is read from and written to them.
package kube
