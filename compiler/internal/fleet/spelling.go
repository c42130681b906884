// SPDX-License-Identifier: Apache-2.0

package fleet

import "strings"

// What names look like that an API server lets pass (RFC 1123 subdomains, IANA
// service names, qualified names). A cluster's own administrator decides what
// its API server lets pass, so that it is checked here: for every Service of
// every cluster at every compile, and a regular expression takes ten times as
// long.

// The longest names that an API server lets pass.
const (
	longestAccount     = 253
	longestPortName    = 63
	longestAppProtocol = 316
)

// accountName tells whether a text is a DNS subdomain.
func accountName(s string) bool {
	if len(s) > longestAccount {
		return false
	}
	for more := true; more; {
		var part string
		if part, s, more = strings.Cut(s, "."); part == "" || !spelled(part, "-", false) {
			return false
		}
	}
	return true
}

// portName tells whether a text is a DNS label, or empty.
func portName(s string) bool { return len(s) <= longestPortName && spelled(s, "-", false) }

// appProtocol tells whether a text is a qualified name, or empty.
func appProtocol(s string) bool { return len(s) <= longestAppProtocol && spelled(s, "-._/", true) }

// spelled tells whether a text is of small letters and digits, and capitals
// where they are allowed, with some others between them.
func spelled(s, between string, capitals bool) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || capitals && c >= 'A' && c <= 'Z':
		case i > 0 && i < len(s)-1 && strings.IndexByte(between, c) >= 0:
		default:
			return false
		}
	}
	return true
}
