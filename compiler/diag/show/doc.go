// SPDX-License-Identifier: Apache-2.0

// Package show writes diagnostics for people: one line that says what is wrong,
// where, and what to write instead, then the user's own line with the place
// marked, the other places that it speaks of, and the rule that says no.
//
//	policies/a.yaml:5:59: error FL1108: protocol cannot be "htp" (did you mean "http"? …)
//	  5 |   service: {name: reviews, ports: [{port: 9080, protocol: htp}]}
//	    |                                                           ^^^
//
// Whatever a file holds, what is written is visible text, one line a line:
// tabs are marked, control characters are written as escapes, and a long line
// is cut around the place.
//
// Out of scope: finding the lines (diag.Locate), and knowing what a terminal
// can do.
package show
