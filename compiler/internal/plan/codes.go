// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/compiler/diag"
)

// Codes returns the codes of this package, in the order of their numbers: one
// for each feature that some provider does not do exactly.
func Codes() []diag.Code {
	out := northSouthCodes()
	for _, row := range Matrix() {
		doc := ""
		for _, p := range Providers() {
			switch s := row.Of(p); {
			case s.Refusal != "":
				doc += fmt.Sprintf("%s: %s; %s. ", p, s.Refusal, s.Fix)
			case s.Degradation != "":
				doc += fmt.Sprintf("%s: degraded, %s. %s ", p, s.Degradation, degradationText(s.Degradation))
			}
		}
		shared := slices.ContainsFunc(out, func(c diag.Code) bool { return c.ID == row.Code })
		if doc != "" && !shared {
			out = append(out, diag.Code{ID: row.Code, Title: string(row.Feature), Doc: doc[:len(doc)-1]})
		}
	}
	slices.SortFunc(out, func(a, b diag.Code) int { return cmp.Compare(a.ID, b.ID) })
	return append(out,
		diag.Code{ID: CodeUnknownDegradation, Title: "unknown degradation", Doc: "acceptDegradations names something that no provider degrades. Use the name that the error asked for."},
		diag.Code{ID: CodeOpenGateway, Title: "open gateway", Severity: diag.Warning, Doc: "A Gateway in the cluster lets other clusters reach every service. Fairlead leaves it alone."})
}

func degradationText(name string) string {
	all := Degradations()
	return all[slices.IndexFunc(all, func(d Degradation) bool { return d.Name == name })].Text
}
