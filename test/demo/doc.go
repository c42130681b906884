// SPDX-License-Identifier: Apache-2.0

// Command demo shows the main job of Fairlead on this machine alone: two real
// Kubernetes control planes, a git repository, an agent on every node; policies
// are pushed, and packets go where the policies say.
//
// It takes nothing for granted: each step is checked, and the exit code is 0
// only when every one held. KEEP=1 leaves it running at the end.
package main
