// SPDX-License-Identifier: Apache-2.0

// Package l4 emits ServiceRoutes, by which Fairlead's agents carry connections
// to the services of other clusters and let those of others in.
//
// Out of scope: endpoints, which the agents watch themselves.
package l4
