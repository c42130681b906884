// SPDX-License-Identifier: Apache-2.0

// Package conntrack makes the kernel forget datagram flows to endpoints that
// are gone. The translation of a flow is decided by its first datagram; a
// client that goes on sending from one socket would otherwise stay with an
// endpoint that does not exist any more, for ever. TCP ends by itself.
//
// A flow is ours when it was sent to a clusterset IP or an export address and
// led to an address among the cluster's own pods. One to an endpoint that is
// still ready stays, whatever share new flows have.
//
// Out of scope: flows to other clusters, whose own gateway knows its endpoints.
package conntrack
