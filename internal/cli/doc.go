// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of fairlead: one file per command, with its
// flags in one private struct. It reads flags, calls the packages that do the
// work and writes what they return.
//
// What a command was asked for goes to Streams.Out, everything else to
// Streams.Err. A command that has nothing to say says nothing. The exit code is
// 0, or 2 when something is wrong, or 1 when a dry run found changes. An
// interrupt ends the program after the writes in flight, with 2.
//
// Out of scope: any work of its own.
package cli
