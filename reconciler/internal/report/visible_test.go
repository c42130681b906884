// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/reconciler/internal/apply"
)

// TestNamesFromClusters: names and reasons that a cluster gave reach no
// terminal as control sequences.
func TestNamesFromClusters(t *testing.T) {
	const evil = "x\x1b[2K\r\u202e\x00y"
	share := int32(5)
	r := Report{DryRun: true, Traffic: []Share{{Consumer: evil, Service: evil, Rule: evil, Backend: evil, Before: &share}},
		Clusters: []Cluster{{Name: "c1", Error: evil, Actions: []Action{
			{Op: apply.Pruned, Kind: evil, Name: evil, Diff: "-" + evil + "\n"}, {Op: apply.Held, Name: evil, Message: evil}}}}}
	var out, notes bytes.Buffer
	r.Text(&out, &notes)
	for _, text := range []string{out.String(), notes.String()} {
		if strings.ContainsAny(text, "\x1b\r\x00\u202e") || !strings.Contains(text, `\x1b[2K\r\u202e\x00y`) {
			t.Errorf("written: %q", text)
		}
	}
}
