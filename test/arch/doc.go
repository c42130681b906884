// SPDX-License-Identifier: Apache-2.0

// Package arch holds the architecture's walls and limits as tests. Every
// failure says which rule was broken, where, and why the rule exists.
//
// Out of scope: behaviour. What the code does is tested beside the code.
package arch
