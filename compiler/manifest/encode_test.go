// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// words are texts of which each is written in its own way by one YAML writer or
// another.
var words = []string{
	"", "a", "reviews.default.svc.cluster.local", "y", "Y", "n", "no", "NO", "No", "nO", "on", "off", "yes", "true", "True", "TRUE", "tRUE", "null", "Null", "NULL", "~",
	"1", "0", "01", "007", "0x1f", "0b1", "0o7", "-1", "+1", "1.5", ".5", "1.", "1e3", "1E5", "e3", "1_000", ".inf", "-.inf", ".nan", "12:30", "12:30:45", "1:2",
	"10.1.2.3", "10.0.0.0/8", "::1", "fe80::/10", "2001-12-14", "2001-12-14T21:59:43Z", "3s", "500ms", "100%", "1.31.1",
	"*", "*.local", "default/*", "&a", "!a", "|", ">", "%a", "@a", "`a", "- a", "-", "--", "---", "...", "a: b", "a:b", ":a", "a:", "a #b", "#a", "a#b", "?", "? a", "?a", "[a", "{a", "]", "}", ",", "a, b", "a,b",
	"'", "\"", "it's", "a\"b", "\\", "a\\b", " a", "a ", "a  b", "a b", "a\nb", "a\n", "\n", "\ta", "a\tb", "\u00e9", "\u2028", "\ufeff", "\x00", "\x7f", "\U0001f600",
	"outbound_.9080_.fl-1_.reviews", "spiffe://cluster1.local/ns/default/sa/reviews", "fairlead.dev/t1", "fairlead.dev/t10", "x-canary", "=", "a=b", "connect-failure,refused-stream",
	"a text of many words that is so long that a writer which folds texts at the eightieth column has to fold it here",
	"averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutaspaceinit",
	"^/api/v[0-9]+(/.*)?$", "^([0-9]+(ms|s|m|h))+$", "(a|b)", "$a", "^a", "a/b", "/", "/api", "a_b", "_a", "a.b", ".a", "a-", "A", "aB", "Ab",
}

// randomValue is JSON-like, at most so deep.
func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(10); {
	case n < 2 && depth > 0:
		return randomMapping(r, depth)
	case n < 4 && depth > 0:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	case n == 4:
		return r.Int64() - r.Int64()
	case n == 5:
		return int64(r.IntN(70000))
	case n == 6:
		return r.IntN(2) == 0
	case n == 7 && r.IntN(4) == 0:
		return nil
	case n == 7 && r.IntN(4) == 0:
		return r.Float64()
	}
	return words[r.IntN(len(words))]
}

func randomMapping(r *rand.Rand, depth int) map[string]any {
	m := map[string]any{}
	for range r.IntN(5) {
		m[words[r.IntN(len(words))]] = randomValue(r, depth-1)
	}
	return m
}

// floats is what a value reads back as where every number is a float.
func floats(v any) any {
	var out any
	if err := json.Unmarshal(writeJSON(nil, v), &out); err != nil {
		panic(err)
	}
	return out
}

// usual tells whether a text, as a key, has its place whatever stands beside it.
func usual(s string) bool {
	return len(s) < longestPlain && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || unicode.IsDigit(r) })
}

// floatsJSON writes JSON anew with every number as a float.
func floatsJSON(text []byte) []byte {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		panic(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

func TestYAMLIsAsOthersWriteIt(t *testing.T) {
	for _, a := range words {
		for _, b := range words {
			content := map[string]any{"key": a, "list": []any{a, b, map[string]any{}, []any{}}, "empty": map[string]any{}, "none": []any{}}
			if usual(a) && usual(b) {
				content["map"] = map[string]any{a: int64(1), b: true, "c": map[string]any{a: b}, "d": []any{map[string]any{a: nil, b: b}}}
			} else if strings.ContainsFunc(a+b, func(r rune) bool { return !unicode.IsPrint(r) }) {
				continue
			}
			want, err := yaml.Marshal(content)
			if err != nil {
				continue // it cannot write every text
			}
			if diff := cmp.Diff(string(want), string(writeYAML(content))); diff != "" {
				t.Fatalf("another YAML:\n%s", diff)
			}
		}
	}
}

// TestYAMLReadsBack writes anything, twice.
func TestYAMLReadsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 5000 {
		content := randomMapping(r, 4)
		text := writeYAML(content)
		var back map[string]any
		if err := yaml.Unmarshal(text, &back); err != nil || string(writeJSON(nil, back)) != string(writeJSON(nil, floats(content))) {
			t.Fatalf("%v\nreads back as\n%v: %v", content, back, err)
		}
		if string(text) != string(writeYAML(back)) && string(writeJSON(nil, content)) == string(writeJSON(nil, back)) {
			t.Fatalf("one value has two forms:\n%s\n%s", text, writeYAML(back))
		}
	}
}

func TestKeysHaveAnOrder(t *testing.T) {
	for _, a := range words {
		for _, b := range words {
			if compareKeys(a, b) != -compareKeys(b, a) || (compareKeys(a, b) == 0) != (a == b) {
				t.Errorf("%q and %q", a, b)
			}
			for _, c := range words {
				if compareKeys(a, b) < 0 && compareKeys(b, c) < 0 && compareKeys(a, c) >= 0 {
					t.Errorf("%q, %q, %q", a, b, c)
				}
			}
		}
	}
	if compareKeys("fairlead.dev/t2", "fairlead.dev/t10") >= 0 || compareKeys("a.b", "ab") >= 0 {
		t.Error("another order than the one of the YAML that people know")
	}
}

func TestJSONIsAsOthersWriteIt(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 5000 {
		content := randomMapping(r, 4)
		want, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		got := writeJSON(nil, content)
		var back any
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		// The order of keys is another one.
		if again, err := json.Marshal(back); err != nil || string(again) != string(floatsJSON(want)) {
			t.Fatalf("want %s\ngot  %s", want, again)
		}
		if a, b := string(writeYAML(content)), string(toYAML(got)); a != b {
			t.Fatalf("another YAML of JSON:\n%s", cmp.Diff(a, b))
		}
	}
}

// TestStampedObjectsReadBack reads objects from the form that takes little
// memory.
func TestStampedObjectsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 10))
	for range 500 {
		o, err := FromContent(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "spec": randomMapping(r, 4)})
		if err != nil {
			t.Fatal(err)
		}
		stamped := o.Stamp("ClusterSet/a")
		content := stamped.Unstructured()
		if stamped.Ref() != o.Ref() || content.GetAnnotations()[AnnotationFragment] != "ClusterSet/a" {
			t.Fatalf("got %s of %s", stamped.Ref(), o.Ref())
		}
		if diff := cmp.Diff(o.content["spec"], content.Object["spec"]); diff != "" {
			t.Fatalf("something else is read back:\n%s", diff)
		}
		if again := (Object{content: content.Object}); !bytes.Equal(again.appendDigest(nil), stamped.appendDigest(nil)) || string(again.YAML()) != string(stamped.YAML()) {
			t.Fatalf("%s\ndiffers from what it reads back as\n%s", stamped.sealed.text, writeJSON(nil, content.Object))
		}
	}
}
