// SPDX-License-Identifier: Apache-2.0

// Package sysctl sets the few kernel parameters that tunnels need, remembers
// what they were, and puts them back at the clean-up.
//
// Words: a Setting is a parameter and its value; the record is the file of
// values found before the first change. It is written and synced before a
// change is made, so that a crash cannot lose a value.
//
// Parameters of an interface that ends with the agent's own clean-up need no
// record.
package sysctl
