// SPDX-License-Identifier: Apache-2.0

package underlay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lossScale is the resolution of a loss: one in a million.
const lossScale = 1_000_000

// ruleset is the whole of the bridge's rules for nft, replacing what is there
// in one transaction.
func ruleset(ports map[string]port, links map[link]Condition) string {
	var b strings.Builder
	b.WriteString("table bridge underlay\ndelete table bridge underlay\n")
	b.WriteString("table bridge underlay {\n\tchain links {\n\t\ttype filter hook forward priority 0; policy accept;\n")
	order := func(x, y link) int { return cmp.Or(strings.Compare(x.a, y.a), strings.Compare(x.b, y.b)) }
	for _, l := range slices.SortedFunc(maps.Keys(links), order) {
		writeRule(&b, ports[l.a], ports[l.b], links[l])
		writeRule(&b, ports[l.b], ports[l.a], links[l])
	}
	b.WriteString("\t}\n}\n")
	return b.String()
}

// writeRule is the rule of one direction.
func writeRule(b *strings.Builder, from, to port, c Condition) {
	match := fmt.Sprintf("\t\tiifname %q oifname %q", from.name, to.name)
	switch {
	case c.Cut:
		fmt.Fprintln(b, match, "drop")
	case c.Delay > 0:
		// The relay carries these; see wanted.
		fmt.Fprintln(b, match, "ether daddr", to.mac, "ether type { ip, ip6 } drop")
	default:
		fmt.Fprintf(b, "%s numgen random mod %d < %d drop\n", match, lossScale, int(c.Loss*lossScale))
	}
}
