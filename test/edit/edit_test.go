// SPDX-License-Identifier: Apache-2.0

package edit

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

func sample() []map[string]any {
	return []map[string]any{{"a": map[string]any{"b": []any{int64(1), "x"}, "c": true}}, {"d": "y"}}
}

// TestObjects: every kind of edit changes something, objects stay JSON, and the
// same bytes make the same edits.
func TestObjects(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	before, _ := json.Marshal(sample())
	changed := map[byte]bool{}
	for range 2000 {
		edits := []byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
		var texts [2]string
		for i := range texts {
			all := sample()
			Objects(all, edits)
			for _, content := range all {
				runtime.DeepCopyJSON(content) // panics where it is no JSON
			}
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatalf("%v: %v", edits, err)
			}
			texts[i] = string(text)
		}
		if texts[0] != texts[1] {
			t.Fatalf("%v: %s and %s", edits, texts[0], texts[1])
		}
		if texts[0] != string(before) {
			changed[edits[2]%Kinds] = true
		}
	}
	if len(changed) != Kinds {
		t.Errorf("only these kinds changed anything: %v", changed)
	}
}

// TestEditsEnd: however many edits are asked for, objects stay of a size.
func TestEditsEnd(t *testing.T) {
	all, edits := sample(), make([]byte, 1<<16)
	for i := range edits {
		edits[i] = []byte{0, 0, 7, 0}[i%4]
	}
	Objects(all, edits)
	if n := len(spotsOf(all)); n > mostSpots {
		t.Errorf("there are %d values", n)
	}
}
