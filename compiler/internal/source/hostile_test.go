// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// manyDocuments is how many documents the tests put into one file.
const manyDocuments = 10_000

// hostile are files that are unusual, or made to be a burden.
func hostile() map[string]string {
	return map[string]string{
		"CRLF":                      strings.ReplaceAll(smallPolicy, "\n", "\r\n"),
		"CR":                        strings.ReplaceAll(smallPolicy, "\n", "\r"),
		"BOM":                       "\ufeff" + smallPolicy,
		"BOM in the middle":         smallPolicy + "---\n\ufeff" + smallPolicy,
		"tab":                       strings.Replace(smallPolicy, "    name:", "\tname:", 1),
		"tab behind a value":        strings.Replace(smallPolicy, "name: reviews\n  rules", "name: reviews\t\n  rules", 1),
		"others' documents":         strings.Repeat("---\na: b\n", manyDocuments),
		"policies without a spec":   strings.Repeat("---\napiVersion: fairlead.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: a, namespace: b}\n", manyDocuments),
		"unknown kinds":             strings.Repeat("---\napiVersion: fairlead.dev/v1\nkind: X\n", manyDocuments/5),
		"long value":                strings.Replace(smallPolicy, "name: reviews\n  rules", "name: "+strings.Repeat("a", 1_000_000)+"\n  rules", 1),
		"long key":                  strings.Replace(smallPolicy, "  rules", "  "+strings.Repeat("a", 1_000_000)+": 1\n  rules", 1),
		"longer than a file may be": strings.Replace(smallPolicy, "name: reviews\n  rules", "name: "+strings.Repeat("a", 2_000_000)+"\n  rules", 1),
		"unicode name":              strings.Replace(smallPolicy, "name: reviews,", "name: prüfung,", 1),
		"unicode that turns round":  strings.Replace(smallPolicy, "name: reviews,", "name: \"a\u202eb\",", 1),
		"unicode that is composed":  strings.Replace(smallPolicy, "name: reviews,", "name: e\u0301,", 1),
		"unicode key":               strings.Replace(smallPolicy, "  rules", "  règles", 1),
		"deep brackets":             strings.Replace(smallPolicy, "{cluster: cluster2", strings.Repeat("{a: ", 100)+"b"+strings.Repeat("}", 100)+"\n    - {cluster: cluster2", 1),
		"deep dashes":               strings.Replace(smallPolicy, "    - cluster: cluster1", "    "+strings.Repeat("- ", 500)+"cluster: cluster1", 1),
		"very deep brackets":        smallPolicy + strings.Repeat("[", 100_000),
	}
}

// TestHostileFiles says how many mistakes are reported of each, and what is said
// first; what is too much of something names the limit.
func TestHostileFiles(t *testing.T) {
	said := map[string]struct {
		mistakes int
		first    string
	}{
		"CRLF":                      {0, ""},
		"CR":                        {0, ""},
		"BOM":                       {0, ""},
		"BOM in the middle":         {1, "a.yaml:15:18: error FL1300"},
		"tab":                       {1, "a.yaml:6:1: error FL1004: the line is indented with a tab, which YAML does not allow"},
		"tab behind a value":        {0, ""},
		"others' documents":         {1, ".: error FL1010"},
		"policies without a spec":   {2*manyDocuments - 1, "a.yaml:2:1: error FL1107: spec is missing"},
		"unknown kinds":             {2 * manyDocuments / 5, "a.yaml:2:13: error FL1101"},
		"long value":                {1, "a.yaml:6:11: error FL1110: name has 1000000 characters (at most 63 are allowed)"},
		"long key":                  {1, "a.yaml:7: error FL1004"},
		"longer than a file may be": {1, "a.yaml: error FL1003: the file has 1.9 MiB; a file with Fairlead documents may have 1.0 MiB"},
		"unicode name":              {1, `a.yaml:3:18: error FL1111: name cannot be "prüfung"`},
		"unicode that turns round":  {1, `a.yaml:3:18: error FL1111: name cannot be "a\u202eb"`},
		"unicode that is composed":  {1, "a.yaml:3:18: error FL1111"},
		"unicode key":               {1, `a.yaml:7:3: error FL1105: unknown field "règles"`},
		"deep brackets":             {3, "a.yaml:9:7: error FL1107"},
		"deep dashes":               {1, "a.yaml:11:7: error FL1004"},
		"very deep brackets":        {1, "a.yaml:12:1: error FL1004"},
	}
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			got := messages(t, "a.yaml", text)
			want, known := said[name]
			if !known || len(got) != want.mistakes {
				t.Fatalf("%d mistakes, want %d: %.500v", len(got), want.mistakes, got)
			}
			if len(got) > 0 && !strings.HasPrefix(got[0], want.first) {
				t.Errorf("got %s", got[0])
			}
			if name == "deep brackets" && !strings.Contains(strings.Join(got, "\n"), "nested deeper than 32 levels") {
				t.Errorf("the limit is not named: %v", got)
			}
		})
	}
}

// TestOneFileOrMany puts documents into one file, each into its own, and into
// files in another order: the documents are the same.
func TestOneFileOrMany(t *testing.T) {
	const documents = 60
	random := rand.New(rand.NewPCG(13, 14))
	var texts []string
	for i := range documents {
		texts = append(texts, strings.Replace(smallPolicy, "name: reviews,", fmt.Sprintf("name: reviews-%02d,", i), 1))
	}
	names := func(files fstest.MapFS) []string {
		docs, ds := Load(files)
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		var out []string
		for _, p := range docs.Policies {
			out = append(out, p.Name)
		}
		slices.Sort(out)
		return out
	}
	want := names(fstest.MapFS{"all.yaml": {Data: []byte(strings.Join(texts, "---\n"))}})
	if len(want) != documents {
		t.Fatalf("%d documents", len(want))
	}
	random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	files := fstest.MapFS{}
	for _, text := range texts {
		name := fmt.Sprintf("%d/%d.yml", random.IntN(4), random.IntN(documents/2))
		if f := files[name]; f != nil {
			text = string(f.Data) + "---\n" + text
		}
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if diff := cmp.Diff(want, names(files)); diff != "" {
		t.Errorf("another order, other documents:\n%s", diff)
	}
}

// TestACacheHoldsTheLastLoad changes documents many times.
func TestACacheHoldsTheLastLoad(t *testing.T) {
	var cache Cache
	for edition := range 30 {
		files := fstest.MapFS{}
		for i := range 5 {
			name := fmt.Sprintf("reviews-%d-%d", i, edition*i)
			files[fmt.Sprintf("%d.yaml", i)] = &fstest.MapFile{Data: []byte(strings.Replace(smallPolicy, "name: reviews,", "name: "+name+",", 1))}
		}
		want, wantDiags := Load(files)
		got, gotDiags := cache.Load(files)
		if len(got.Policies) != len(want.Policies) || len(gotDiags) != len(wantDiags) || len(cache.before) != len(files) {
			t.Fatalf("edition %d: %d policies, %v, %d are kept", edition, len(got.Policies), gotDiags, len(cache.before))
		}
		for i, p := range got.Policies {
			if p.Name != want.Policies[i].Name || p.Origin.At("spec") != want.Policies[i].Origin.At("spec") {
				t.Errorf("edition %d: got %s", edition, p.Name)
			}
		}
	}
}
