// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"maps"
	"slices"
)

// Differ says in what two answers are not the same; empty where they are. How
// they were found is not compared.
func Differ(a, b Answer) string {
	if a.plain() != b.plain() {
		return fmt.Sprintf("the verdict is %s, and %s", a.Verdict, b.Verdict)
	}
	if a.Unserved.Cmp(b.Unserved) != 0 {
		return fmt.Sprintf("%s are not served, and %s", Percent(a.Unserved), Percent(b.Unserved))
	}
	if a.Status != b.Status {
		return fmt.Sprintf("the status is %d, and %d", a.Status, b.Status)
	}
	for _, what := range sorted(slices.AppendSeq(slices.Collect(maps.Keys(a.Applied)), maps.Keys(b.Applied))) {
		if a.Applied[what] != b.Applied[what] {
			return fmt.Sprintf("%s is %q, and %q", what, a.Applied[what], b.Applied[what])
		}
	}
	for i := range max(len(a.Shares), len(b.Shares)) {
		if d := differ(a.Shares, b.Shares, i); d != "" {
			return d
		}
	}
	return ""
}

// plain is the verdict as the caller sees it: it cannot tell a response without
// a body and with status 503 from one that nobody could give.
func (a Answer) plain() Verdict {
	if a.Verdict == Responded && a.Status == 503 && len(a.Applied) == 0 {
		return Unreachable
	}
	return a.Verdict
}

func differ(a, b []Share, i int) string {
	switch {
	case i >= len(b):
		return a[i].Name() + " serves only in the first"
	case i >= len(a):
		return b[i].Name() + " serves only in the second"
	case a[i].key() != b[i].key():
		return a[i].Name() + " serves in the first, " + b[i].Name() + " in the second"
	case a[i].Part.Cmp(b[i].Part) != 0:
		return fmt.Sprintf("%s serves %s, and %s", a[i].Name(), Percent(a[i].Part), Percent(b[i].Part))
	case a[i].TLS.Mutual != b[i].TLS.Mutual || !slices.Equal(a[i].TLS.Identities, b[i].TLS.Identities):
		return fmt.Sprintf("%s has %+v, and %+v", a[i].Name(), a[i].TLS, b[i].TLS)
	}
	return ""
}
