// SPDX-License-Identifier: Apache-2.0

// Package process runs the programs of a lab: in a network namespace or not,
// in a process group of their own, with their output in a log file, and ended
// as a group.
//
// Out of scope: restarting (package kubelet does that for containers) and what
// survives a kill -9 of the lab (nothing does: package sandbox).
package process
