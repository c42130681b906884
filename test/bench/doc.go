// SPDX-License-Identifier: Apache-2.0

// Package bench measures the whole with the real programs: how long a lab takes
// to start, and how long a pushed commit takes to be in force. "make bench" runs
// it, as root. What a single room costs is measured beside that room.
//
// Out of scope: verdicts. Machines differ; these are figures to compare on one.
package bench
