// SPDX-License-Identifier: Apache-2.0

package compiler_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/test/edit"
)

// observed is a repository that compiles, and what is said of its clusters, as
// JSON has it.
type observed struct {
	files fs.FS
	facts map[string]any
}

// observedStories are the stories without a mistake in their files.
func observedStories(t testing.TB) []observed {
	t.Helper()
	var out []observed
	for _, name := range storyFiles(t) {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, inv := open(t, archive)
		if _, diags := compiler.Compile(files, inv); diag.HasErrors(diags) {
			continue
		}
		text, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		o := observed{files: files, facts: map[string]any{}}
		if err := json.Unmarshal(text, &o.facts); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

// FuzzInventory: members say what they like, and files may be edited. Whatever
// the facts are, they never reject a revision that compiled with others, the
// compiler does not panic, and what it says of them is one visible line.
func FuzzInventory(f *testing.F) {
	stories := observedStories(f)
	for i := range stories {
		f.Add(uint16(i), []byte{})
		f.Add(uint16(i), []byte{byte(i), byte(i * 37), byte(i), byte(i), byte(i * 7), byte(i * 91), byte(i + 3), 7})
	}
	f.Fuzz(func(t *testing.T, number uint16, edits []byte) {
		story := stories[int(number)%len(stories)]
		facts := []map[string]any{runtime.DeepCopyJSON(story.facts)}
		edit.Objects(facts, edits)
		text, err := json.Marshal(facts[0])
		if err != nil {
			t.Fatal(err)
		}
		var inv inventory.Inventory
		if json.Unmarshal(text, &inv) != nil {
			return // such a file is not read
		}
		result, diags := compiler.Compile(story.files, inv)
		for _, d := range diags {
			if d.Severity == diag.Error {
				t.Errorf("facts reject the revision: %s\n%s", d, text)
			}
			checkLine(t, d.String())
		}
		for _, line := range summary(result) {
			if !strings.HasPrefix(line, "object ") && !strings.HasPrefix(line, "claim ") && !strings.HasPrefix(line, "traffic ") {
				checkLine(t, line)
			}
		}
	})
}

// checkLine fails where a line could do anything to a terminal but be read.
func checkLine(t *testing.T, line string) {
	t.Helper()
	for _, r := range line {
		if !unicode.IsPrint(r) {
			t.Fatalf("%q is in %q", r, line)
		}
	}
}

// FuzzTrace: whatever is asked, it is answered or said what is wrong with it.
func FuzzTrace(f *testing.F) {
	tracer := tracedExample(f)
	f.Add("cluster1/default/productpage", "", "GET", "http://reviews:9080/x?y=1", "x-canary", "1", "cluster2", "cluster1/reviews", "50%")
	f.Add("cluster1/default/productpage", "", "", "http://reviews.default.svc.clusterset.local:9080", "", "", "", "cluster1/default/reviews/version=v1,a=b", "33.3%")
	f.Add("", "cluster1/default/edge", "PUT", "https://www.example.com:443/%zz", "", "", "c9", "", "1/3%")
	f.Add("//", "a/b", "\x00", "udp://[::1]:99999", ":path", "\n", "\x1b[2J", "=/=", "1e999999%")
	f.Fuzz(func(t *testing.T, from, gateway, method, url, header, value, lost, health, percent string) {
		q := compiler.TraceRequest{From: from, Gateway: gateway, Method: method, URL: url, Headers: map[string]string{header: value}}
		if lost != "" {
			q.Lost = []string{lost}
		}
		if health != "" {
			q.Healthy = map[string]string{health: percent}
		}
		answer, diags := tracer.Trace(q)
		for _, d := range diags {
			checkLine(t, d.String())
		}
		if answered := answer.Verdict != ""; answered == diag.HasErrors(diags) {
			t.Errorf("%+v: %+v with %v", q, answer, diags)
		}
		for _, s := range answer.Path {
			checkLine(t, s.Text)
		}
	})
}

// tracedExample answers requests to the services of an example.
func tracedExample(f *testing.F) *compiler.Tracer {
	f.Helper()
	text, err := os.ReadFile("../policies-example/bookinfo/inventory.yaml")
	if err != nil {
		f.Fatal(err)
	}
	var inv inventory.Inventory
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		f.Fatal(err)
	}
	tracer, diags := compiler.NewTracer(os.DirFS("../policies-example/bookinfo/policies"), inv)
	if diag.HasErrors(diags) {
		f.Fatal(diags)
	}
	return tracer
}

// FuzzExplain: whatever object is asked for, it is explained or said that there
// is none.
func FuzzExplain(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/traffic-tests.txtar")
	if err != nil {
		f.Fatal(err)
	}
	files, inv := open(f, archive)
	result, _ := compiler.Compile(files, inv)
	for _, b := range result.Bundles {
		for _, o := range b.Objects() {
			f.Add(b.Store, o.Ref().String())
		}
	}
	f.Add("", "")
	f.Add("c1", "///")
	f.Fuzz(func(t *testing.T, store, object string) {
		e, diags, err := compiler.Explain(files, inv, store, object)
		if diag.HasErrors(diags) {
			t.Fatal(diags)
		}
		if found := len(e.Fields) > 0; found == (err != nil) {
			t.Errorf("%q in %q: %d fields and %v", object, store, len(e.Fields), err)
		}
	})
}
