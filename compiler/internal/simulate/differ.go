// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"slices"
)

// Differ says in what two answers are not the same; empty where they are. How
// they were found is not compared.
func Differ(a, b Answer) string {
	if a.Verdict != b.Verdict {
		return fmt.Sprintf("the verdict is %s, and %s", a.Verdict, b.Verdict)
	}
	if a.Unserved.Cmp(b.Unserved) != 0 {
		return fmt.Sprintf("%s are not served, and %s", Percent(a.Unserved), Percent(b.Unserved))
	}
	if a.Applied != b.Applied {
		return fmt.Sprintf("applied is %+v, and %+v", a.Applied, b.Applied)
	}
	for i := range max(len(a.Shares), len(b.Shares)) {
		if d := differ(a.Shares, b.Shares, i); d != "" {
			return d
		}
	}
	return ""
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
