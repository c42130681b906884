// SPDX-License-Identifier: Apache-2.0

// Package source is where the agent learns what is wanted, and where it says
// what it is and observes: the API server of its cluster, or a directory of
// YAML files.
//
// A Snapshot is handed out only when everything in it was read completely. Until
// then, and whenever something cannot be read, Read gives an error that says
// what is missing, and the agent changes nothing for its sake.
//
// Only the node's own NodeState is ever written, and only when it differs.
//
// Out of scope: what the objects mean (package desired).
package source
