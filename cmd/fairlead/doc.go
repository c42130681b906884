// SPDX-License-Identifier: Apache-2.0

// Command fairlead compiles traffic policies and makes clusters follow them.
// The program is package internal/cli; here is only its start.
package main
