// SPDX-License-Identifier: Apache-2.0

// Command fairlead-agent makes the kernel of one node match what Fairlead wants
// of it: tunnels to other clusters, routes, and the addresses of services that
// are in several clusters. Package dataplane is the program.
package main
