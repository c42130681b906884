// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestEnds marks with ^ where a value begins and says what of the line is meant.
func TestEnds(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"port: ^9080", "9080"},
		{"port: ^9080 # the usual", "9080"},
		{"a#b: ^c#d", "c#d"},
		{"  ^sevice: {name: ratings}", "sevice"},
		{"{port: 1, protocol: ^htp}", "htp"},
		{"[^a b , c]", "a b"},
		{"clusters: [c1, ^c22]]", "c22"},
		{"x: ^\"a \\\" b\": c", `"a \" b"`},
		{"x: ^'a b' # c", "'a b'"},
		{"x: ^\"not closed  ", "\"not closed"},
		{"x: ^{a: [1, '}'], b: 2}, y", "{a: [1, '}'], b: 2}"},
		{"x: ^[a,  ", "[a,"},
		{"x: ^http://a.example/b", "http://a.example/b"},
		{"{^a:}", "a"},
		{"^: x", ": x"},
		{"x:^   ", ""},
		{"日本: ^値段 # 円", "値段"},
		{"^", ""},
	} {
		at := strings.IndexRune(test.line, '^')
		start := len([]rune(test.line[:at]))
		line := []rune(strings.Replace(test.line, "^", "", 1))
		if got := string(line[start:endOf(line, start)]); got != test.want {
			t.Errorf("%s: got %q, want %q", test.line, got, test.want)
		}
	}
}

func TestLocate(t *testing.T) {
	long := strings.Repeat("a", 500) + ": " + strings.Repeat("b", 1000)
	files := fstest.MapFS{
		"a.yaml": {Data: []byte("\ufeffone: 1\r\ntwo:\t2\r\n" + long)},
		"b.yaml": {Data: []byte("x: y\n")},
	}
	ds := []Diagnostic{
		{Position: Position{"a.yaml", 3, 503}},
		{Position: Position{"a.yaml", 1, 6}, Related: []Related{{Position: Position{"b.yaml", 1, 0}}}},
		{Position: Position{"a.yaml", 1, 1}},
		{Position: Position{"a.yaml", 2, 6}, EndColumn: 7},
		{Position: Position{File: "a.yaml"}},
		{Position: Position{"a.yaml", 1, 9}},
		{Position: Position{"a.yaml", 4, 1}},
		{Position: Position{"none.yaml", 1, 1}},
	}
	Locate(files, ds)
	want := []Excerpt{
		{Text: strings.Repeat("a", 298) + ": " + strings.Repeat("b", 300), First: 203, Cut: true},
		{Text: "one: 1", First: 1}, {Text: "one: 1", First: 1}, {Text: "two:\t2", First: 1}, {}, {}, {}, {},
	}
	ends := []int{1503, 7, 4, 7, 0, 0, 0, 0}
	for i, d := range ds {
		if diff := cmp.Diff(want[i], d.Excerpt); diff != "" || d.EndColumn != ends[i] {
			t.Errorf("%d: ends at %d, want %d; excerpt:\n%s", i, d.EndColumn, ends[i], diff)
		}
	}
	if r := ds[1].Related[0]; r.Excerpt.Text != "x: y" || r.EndColumn != 0 {
		t.Errorf("the related place has %+v", r)
	}
}

// TestMistakesInEveryWordOfALongLine would take minutes if each looked at the
// whole line.
func TestMistakesInEveryWordOfALongLine(t *testing.T) {
	const words = 20_000
	var ds []Diagnostic
	for i := range words {
		ds = append(ds, Diagnostic{Position: Position{"a", 1, 2 + 10*i}})
	}
	Locate(fstest.MapFS{"a": {Data: []byte("[" + strings.Repeat("[word, x, ", words) + "]")}}, ds)
	for i, d := range ds {
		if d.EndColumn <= d.Position.Column || d.EndColumn > d.Position.Column+maxSpan {
			t.Fatalf("%d: %d to %d", i, d.Position.Column, d.EndColumn)
		}
	}
}

// halfFS has files that break in the middle.
type halfFS struct{ fstest.MapFS }

func (h halfFS) Open(name string) (fs.File, error) {
	f, err := h.MapFS.Open(name)
	return &halfFile{File: f}, err
}

type halfFile struct {
	fs.File
	read bool
}

func (h *halfFile) Read(p []byte) (int, error) {
	if h.read {
		return 0, errors.New("torn")
	}
	h.read = true
	return h.File.Read(p[:8])
}

func TestLocateInTornFile(t *testing.T) {
	ds := []Diagnostic{{Position: Position{"a", 1, 1}}, {Position: Position{"a", 3, 1}}}
	Locate(halfFS{fstest.MapFS{"a": {Data: []byte("one\ntwo\nthree\n")}}}, ds)
	if ds[0].Excerpt.Text != "one" || ds[1].Excerpt != (Excerpt{}) {
		t.Errorf("got %+v", ds)
	}
}
