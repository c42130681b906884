// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/compiler/diag"
)

// soon bounds what bad input may cost, with room for a loaded machine.
const soon = 5 * time.Second

// processorTime is what this process used until now: how long something takes by
// the clock says more of what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// messages loads one file and returns what is said of it.
func messages(t *testing.T, name, text string) []string {
	t.Helper()
	start := processorTime(t)
	_, ds := Load(fstest.MapFS{name: {Data: []byte(text)}})
	if took := processorTime(t) - start; took > soon {
		t.Errorf("it took %s", took)
	}
	var got []string
	for _, d := range ds {
		got = append(got, d.String())
	}
	return got
}

func TestBytesThatAreNotADocument(t *testing.T) {
	sources := strings.Repeat("# padding\n", 150_000)
	deep := strings.Replace(smallPolicy, "name: reviews\n", "name: "+strings.Repeat("[", 200)+strings.Repeat("]", 200)+"\n", 1)
	for _, test := range []struct{ name, text, want string }{
		{"a NUL", "apiVersion: v1\nab\x00cd: 1\n", `a.yaml:2:3: error FL1002: the file is not UTF-8 text: byte 0x00 (save it as UTF-8, or give a binary file another ending than .yaml)`},
		{"not UTF-8", "é: \xff\x00", `a.yaml:1:4: error FL1002: the file is not UTF-8 text: byte 0xff (save it as UTF-8, or give a binary file another ending than .yaml)`},
		{"carriage returns", strings.ReplaceAll(smallPolicy, "\n", "\r\n") + "extra: 1\r\n", `a.yaml:12:1: error FL1105: unknown field "extra" (allowed here: apiVersion, kind, metadata, spec)`},
		{"carriage returns alone", strings.ReplaceAll(smallPolicy, "\n", "\r") + "extra: 1\r", `a.yaml:12:1: error FL1105: unknown field "extra" (allowed here: apiVersion, kind, metadata, spec)`},
		{"large and ours", sources + smallPolicy, `a.yaml: error FL1003: the file has 1.4 MiB; a file with Fairlead documents may have 1.0 MiB (split it into several files, or move it out of the directory that Fairlead reads)`},
		{"huge", strings.Repeat("x", 50<<20), `a.yaml: error FL1003: the file has 50.0 MiB; a file with Fairlead documents may have 1.0 MiB (split it into several files, or move it out of the directory that Fairlead reads)`},
		{"large and somebody else's", sources, `.: error FL1010: no Fairlead document here: no .yaml or .yml file has an apiVersion of the group fairlead.dev (add a ClusterSet and a TrafficPolicy, or read another directory)`},
		{"broken, and longer than is searched", strings.Repeat("a:\n- b\n", 2000) + "}\n", `a.yaml:4000: error FL1004: the indentation does not match the lines above, or the value goes on after its end (align it with its siblings)`},
		{"nothing", "", `.: error FL1010: no Fairlead document here: no .yaml or .yml file has an apiVersion of the group fairlead.dev (add a ClusterSet and a TrafficPolicy, or read another directory)`},
		{"byte order marks alone", "\ufeff\ufeff", `.: error FL1010: no Fairlead document here: no .yaml or .yml file has an apiVersion of the group fairlead.dev (add a ClusterSet and a TrafficPolicy, or read another directory)`},
		{"a bomb", bomb(9), `a.yaml:1:1: error FL1006: the aliases of this document stand for more than 1000000 values (write out what is meant)`},
		{"a bomb of ours", smallPolicy + bomb(9), `a.yaml:1:1: error FL1006: the aliases of this document stand for more than 1000000 values (write out what is meant)`},
		{"an alias inside its anchor", "a: &a [*a]\n", `a.yaml:1:1: error FL1006: the aliases of this document stand for more than 1000000 values (write out what is meant)`},
		{"too deep", deep, `a.yaml:6:40: error FL1007: the document is nested deeper than 32 levels (no field of ours is that deep: check the indentation)`},
		{"deeper than the parser goes", strings.Repeat("[", 20_000), `a.yaml:1:1: error FL1004: the document is nested too deeply (check the brackets)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := messages(t, "a.yaml", test.text)
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMuchOfEverything fills a file with what is cheap to write and could be
// costly to check.
func TestMuchOfEverything(t *testing.T) {
	const room = 300_000
	fill := func(piece string) string { return strings.Repeat(piece, room/len(piece)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < room; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	head := strings.TrimSuffix(smallPolicy[:strings.Index(smallPolicy, "  rules:")], "\n") + "\n"
	set := "apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: a}\nspec:\n"
	match := "{path: {exact: a}, headers: [" + strings.Repeat("{name: a, exact: b}, ", 9) + "], methods: [GET, GET]}, "
	for name, text := range map[string]string{
		"directives":       fill("%a\n"),
		"markers":          fill("---\n"),
		"small documents":  fill("---\n- a\n"),
		"unknown fields":   head + numbered("  x%d: 1\n"),
		"unknown kinds":    fill("---\napiVersion: fairlead.dev/v1alpha1\nkind: X\n"),
		"rules":            head + "  rules:\n" + fill("  - backends: [{cluster: a}]\n"),
		"backends":         head + "  rules:\n  - backends:\n" + fill("    - {cluster: a, weight: 0}\n"),
		"wrong backends":   head + "  rules:\n  - backends:\n" + fill("    - {cluster: 1}\n"),
		"matches":          head + "  rules:\n" + strings.Repeat("  - matches: ["+strings.Repeat(match, 64)+"]\n", 20),
		"weights":          head + "  rules:\n" + strings.Repeat("  - backends: ["+strings.Repeat("{cluster: a, weight: 0}, ", 64)+"]\n", 32),
		"rules and fields": head + "  rules:\n" + strings.Repeat("  - backends: [{cluster: a}]\n", 5000) + numbered("  x%d: 1\n")[:room/2] + "\n",
		"clusters":         set + "  clusters:\n" + numbered("  - {name: a%d, istio: {network: a}}\n"),
		"names": set + "  clusters:\n" + strings.Repeat("  - {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n", 200) + "  connectivity: {topology: {mode: groups, groups: [" +
			strings.Repeat("{name: a, clusters: ["+strings.Repeat("aaaaaaaaaaaaaaaaaaaaaaaaabbbbb, ", 200)+"]}, ", 40) + "]}}\n",
		"stages":     set + "  clusters: [{name: a}]\n  rollout:\n    stages:\n" + numbered("    - {name: a%d, clusters: [a]}\n"),
		"labels":     head + "  imports: {to: {matchLabels: {\n" + numbered("    a%d: a\n,") + "}}}\n",
		"long word":  head + "  " + fill("a") + ": 1\n",
		"long value": head + "  clusterSet: [" + fill("a") + "]\n",
		"brackets":   head + fill("["),
		"tabs":       head + fill("\t"),
		"quotes":     head + "  clusterSet: \"" + fill("a\n"),
		"anchors":    head + "  rules: [" + numbered("&a%d x, ") + "]\n",
	} {
		t.Run(name, func(t *testing.T) { messages(t, "a.yaml", text) })
	}
}

// bomb is a mapping whose aliases stand for 9 to the given power of values.
func bomb(power int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for i := 1; i < power; i++ {
		fmt.Fprintf(&b, "l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func TestLinksAreNotFollowed(t *testing.T) {
	_, ds := Load(fstest.MapFS{
		"ok.yaml":   {Data: []byte(smallPolicy)},
		"link.yaml": {Data: []byte("elsewhere.yaml"), Mode: fs.ModeSymlink},
		"pipe.yaml": {Mode: fs.ModeNamedPipe},
	})
	want := "link.yaml: warning FL1011: symbolic links are not followed, so nothing is read here (put the file itself here)"
	if len(ds) != 1 || ds[0].String() != want || diag.HasErrors(ds) {
		t.Errorf("got %v", ds)
	}
}

// lyingFS has files that are larger than they say.
type lyingFS struct{ fstest.MapFS }

func (l lyingFS) Open(name string) (fs.File, error) {
	f, err := l.MapFS.Open(name)
	if err != nil || name == "." {
		return f, err
	}
	return lyingFile{f}, nil
}

type lyingFile struct{ fs.File }

func (l lyingFile) Stat() (fs.FileInfo, error) {
	return fstest.MapFS{"small": {}}.Stat("small")
}

func TestFilesThatAreLargerThanTheySay(t *testing.T) {
	_, ds := Load(lyingFS{fstest.MapFS{"a.yaml": {Data: make([]byte, maxFile+1)}}})
	if len(ds) != 1 || ds[0].Code != diag.CodeTooLarge {
		t.Errorf("got %v", ds)
	}
}

// unreadableFS has files that cannot be opened, or not be read to the end.
type unreadableFS struct{ fstest.MapFS }

func (u unreadableFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if strings.HasPrefix(name, "locked") {
		return nil, fs.ErrPermission
	}
	return u.MapFS.ReadDir(name)
}

func (u unreadableFS) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "locked") {
		return nil, fs.ErrPermission
	}
	f, err := u.MapFS.Open(name)
	if err == nil && strings.HasPrefix(name, "torn") {
		return tornFile{f}, nil
	}
	if err == nil && strings.HasPrefix(name, "stale") {
		return staleFile{f}, nil
	}
	return f, err
}

type tornFile struct{ fs.File }

func (tornFile) Read([]byte) (int, error) { return 0, errors.New("input/output error at sector 7") }

type staleFile struct{ fs.File }

func (staleFile) Stat() (fs.FileInfo, error) { return nil, errors.New("stale handle at sector 8") }

func TestFilesThatCannotBeRead(t *testing.T) {
	large := []byte(strings.Repeat("#\n", maxFile))
	_, ds := Load(unreadableFS{fstest.MapFS{
		"locked.yaml":       {Data: []byte(smallPolicy)},
		"locked.d/a.yaml":   {Data: []byte(smallPolicy)},
		"stale.yaml":        {Data: []byte(smallPolicy)},
		"torn.yaml":         {Data: []byte(smallPolicy)},
		"torn-large.yaml":   {Data: large},
		"somebody/else.txt": {Data: []byte("\x00")},
	}})
	var files []string
	for _, d := range ds {
		if d.Code != diag.CodeUnreadable || strings.Contains(d.String(), "sector") {
			t.Errorf("got %s", d)
		}
		files = append(files, d.Position.File)
	}
	if diff := cmp.Diff([]string{"locked.d", "locked.yaml", "stale.yaml", "torn-large.yaml", "torn.yaml"}, files); diff != "" {
		t.Error(diff)
	}
}
