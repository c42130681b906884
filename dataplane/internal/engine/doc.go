// SPDX-License-Identifier: Apache-2.0

// Package engine makes one kernel match a State: it goes through the rooms, the
// packages that each own a kind of kernel object, has each observe and plan,
// and runs the plans in an order in which a working path exists after every
// single Op.
//
// Applying the same State again runs nothing. Applying after a stop at any Op
// ends in the same kernel. A State that is not complete adds and changes, and
// removes nothing.
//
// The engine works in the network namespace of the thread that opened it; call
// it from that thread, or from any when there is only one namespace.
//
// Out of scope: where States come from, when they are applied.
package engine
