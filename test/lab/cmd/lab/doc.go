// SPDX-License-Identifier: Apache-2.0

// Command lab runs clusters on this machine until Ctrl-C, and then removes
// everything.
//
//	lab [--clusters N] [--nodes N] [--overlap]
//	lab list
//	lab exec [--lab PID] CLUSTER/NODE -- COMMAND...
//	lab exec [--lab PID] CLUSTER/NAMESPACE/POD -- COMMAND...
//
// The kubeconfig lies inside the lab's sandbox, so it disappears with it; from
// outside root reads it below /proc/PID/root. Its addresses are on 127.0.0.1,
// where this command listens for as long as it runs.
//
// Nothing is written to the machine's disk, so a kill -9 leaves nothing.
//
// Out of scope: what a lab is (package lab).
package main
