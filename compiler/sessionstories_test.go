// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/edit"
)

// FuzzSession changes documents and facts of a story step by step. Whatever a
// Session remembers of the steps before, each is compiled as from nothing.
func FuzzSession(f *testing.F) {
	stories := rememberedStories(f)
	// A seed is many compiles: some do, and TestASessionFollowsStories runs all.
	const some = 10
	for i := 0; i < len(stories); i += some {
		f.Add(uint16(i), steps(i)[:fewSteps*stepBytes])
	}
	f.Fuzz(func(t *testing.T, number uint16, steps []byte) {
		follow(t, stories[int(number)%len(stories)], steps[:min(len(steps), fewSteps*stepBytes)])
	})
}

// TestASessionFollowsStories changes each story in every way.
func TestASessionFollowsStories(t *testing.T) {
	for i, story := range rememberedStories(t) {
		follow(t, story, steps(i))
	}
}

// steps of a story: lines move; a fact, a field and a file change, all is as
// before but the ledger, and that is lost.
func steps(i int) []byte {
	return []byte{0, 0, 0, 0, 0, 1, 0, byte(i * 37), byte(i), byte(i * 91), 2, byte(i), byte(i * 13), byte(i * 7), byte(i * 3), 3, byte(i), 0, 0, 0,
		4, 0, 0, 0, 0, 5, 0, 0, 0, 0}
}

func rememberedStories(t testing.TB) []remembered {
	t.Helper()
	var out []remembered
	for _, name := range storyFiles(t) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, recall(t, archive))
	}
	return out
}

// follow compiles a story after each step.
func follow(t *testing.T, story remembered, steps []byte) {
	t.Helper()
	now, session := story.clone(), compiler.Session{}
	for {
		ledger := checkSession(t, &session, now)
		if len(steps) < stepBytes {
			return
		}
		if now.change(steps[0], steps[1:stepBytes], story) {
			now.ledger = ledger
		}
		steps = steps[stepBytes:]
	}
}

// stepBytes are the bytes of one step: its kind, and one edit of package edit.
const stepBytes = 5

// fewSteps of one story are enough for what is remembered of one step before, and
// leave a fuzzer time for others.
const fewSteps = 3

// checkSession compiles once with what is remembered and once without, and
// returns the ledger.
func checkSession(t *testing.T, session *compiler.Session, now remembered) []inventory.Allocation {
	t.Helper()
	files, inv := now.compiled(t)
	cold, want := compiler.Compile(files, inv)
	warm, got := session.Compile(files, inv)
	if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
		t.Fatalf("other diagnostics:\n%s", diff)
	}
	if a, b := everything(cold), everything(warm); a != b {
		t.Fatalf("another result:\n%s", cmp.Diff(a, b))
	}
	return cold.Allocations
}

// remembered is a repository by file and document, and what is said of its
// clusters, as JSON has it.
type remembered struct {
	texts  map[string][]byte
	facts  map[string]any
	ledger []inventory.Allocation
}

func recall(t testing.TB, archive *txtar.Archive) remembered {
	t.Helper()
	files, inv := open(t, archive)
	out := remembered{texts: map[string][]byte{}, ledger: inv.Ledger}
	for name, f := range files.(fstest.MapFS) {
		out.texts[name] = f.Data
	}
	inv.Ledger = nil
	text, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out.facts); err != nil {
		t.Fatal(err)
	}
	return out
}

func (r remembered) clone() remembered {
	return remembered{texts: maps.Clone(r.texts), facts: runtime.DeepCopyJSON(r.facts), ledger: r.ledger}
}

// compiled is what a compile is given; facts that nobody could read are none.
func (r remembered) compiled(t *testing.T) (fs.FS, inventory.Inventory) {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range r.texts {
		files[name] = &fstest.MapFile{Data: text}
	}
	text, err := json.Marshal(r.facts)
	if err != nil {
		t.Fatal(err)
	}
	var inv inventory.Inventory
	if json.Unmarshal(text, &inv) != nil {
		inv = inventory.Inventory{}
	}
	inv.Ledger = r.ledger
	return files, inv
}

// change is one step, and says whether the ledger of the step before is there.
func (r *remembered) change(kind byte, with []byte, story remembered) bool {
	names := slices.Sorted(maps.Keys(r.texts))
	if len(names) == 0 {
		*r = story.clone()
		return true
	}
	name := names[int(with[0])%len(names)]
	switch kind % 6 {
	case 0:
		for _, name := range names {
			r.texts[name] = append([]byte("# another line\n"), r.texts[name]...)
		}
	case 1:
		edit.Objects([]map[string]any{r.facts}, with)
	case 2:
		r.texts[name] = edited(r.texts[name], with)
	case 3:
		delete(r.texts, name)
	case 4:
		ledger := r.ledger
		*r = story.clone()
		r.ledger = ledger
	case 5:
		r.ledger = nil
		return false
	}
	return true
}

// edited changes the documents of a file, where they can be read.
func edited(text []byte, with []byte) []byte {
	var all []map[string]any
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var content map[string]any
		if yaml.Unmarshal(document, &content) == nil && content != nil {
			all = append(all, content)
		}
	}
	edit.Objects(all, with)
	var out [][]byte
	for _, content := range all {
		document, err := yaml.Marshal(content)
		if err != nil {
			return text
		}
		out = append(out, document)
	}
	return bytes.Join(out, []byte("\n---\n"))
}
