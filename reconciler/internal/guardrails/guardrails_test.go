// SPDX-License-Identifier: Apache-2.0

package guardrails

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead/fairlead/compiler"
)

// TestMain lets the tests be the process that evaluates a guardrail.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildCommand {
		if err := Child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func nothing() (compiler.Judged, bool) { return compiler.Judged{}, true }

// check evaluates one guardrail and returns what is said of it, in lines.
func check(t *testing.T, c Checker, text string) []string {
	t.Helper()
	files := fstest.MapFS{"guardrails/rule.cue": {Data: []byte(text)}}
	found, err := c.Check(context.Background(), files, nothing)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range found {
		lines = append(lines, d.String())
	}
	return lines
}

// doubled is a text that is doubled again and again.
func doubled(times int) string {
	var b strings.Builder
	b.WriteString("x0: \"x\"\n")
	for i := range times {
		fmt.Fprintf(&b, "x%d: x%d + x%d\n", i+1, i, i)
	}
	return b.String() + fmt.Sprintf("deny: [{message: x%d}]\n", times)
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		time             time.Duration
	}{
		{"endless", endless, "took longer than 500ms", 500 * time.Millisecond},
		{"memory", doubled(40), "needed more than 1024 MiB of memory", time.Minute},
		{"large", "deny: []\n//" + strings.Repeat("x", maxFile), "and may have 1048576", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			got := check(t, Checker{Time: test.time}, test.text)
			if len(got) != 1 || !strings.HasPrefix(got[0], "guardrails/rule.cue: error FL1513: ") || !strings.Contains(got[0], test.want) {
				t.Errorf("after %s: %q", time.Since(start), got)
			}
		})
	}
}

// What a guardrail says goes into one line, however it is written.
func TestOneLine(t *testing.T) {
	got := check(t, Checker{}, "deny: [{message: \"two\\nlines\", fix: \"a\\tb\"}]\n")
	if want := "guardrails/rule.cue:1:9: error FL1511: two lines (a b)"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q", got)
	}
}

// The process that evaluates knows nothing of the environment.
func TestNoEnvironment(t *testing.T) {
	t.Setenv("SECRET", "s3cret")
	got := check(t, Checker{}, "import \"tool/os\"\nlet e = os.Getenv & {SECRET: string}\ndeny: [{message: \"\\(e.SECRET)\"}]\n")
	if all := strings.Join(got, "\n"); strings.Contains(all, "s3cret") || len(got) == 0 {
		t.Errorf("got %q", got)
	}
}

func TestWithoutGuardrails(t *testing.T) {
	found, err := Checker{}.Check(context.Background(), fstest.MapFS{"guardrails/README.md": {}}, func() (compiler.Judged, bool) {
		t.Error("something was judged for nothing")
		return compiler.Judged{}, true
	})
	if len(found) > 0 || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

func TestTrouble(t *testing.T) {
	files := fstest.MapFS{"guardrails/rule.cue": {Data: []byte("deny: []")}, "guardrails/sub.cue/x": {}}
	found, err := Checker{}.Check(context.Background(), files, nothing)
	if err != nil || len(found) != 1 || found[0].Code != compiler.CodeGuardrailBroken {
		t.Errorf("a directory: %v, %v", found, err)
	}
	if _, err := (Checker{Program: "/nowhere"}).Check(context.Background(), fstest.MapFS{"guardrails/a.cue": {}}, nothing); err == nil {
		t.Error("a program that is not there went unnoticed")
	}
	if found, err := (Checker{}).Check(context.Background(), files, func() (compiler.Judged, bool) { return compiler.Judged{}, false }); err != nil || found != nil {
		t.Errorf("documents with mistakes: %v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Checker{}).Check(ctx, files, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt: %v", err)
	}
}

// What a guardrail could try besides: to read files, to run programs, to be
// somebody else's code, to say too much.
func TestNothingElse(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	touched := secret + ".touched"
	for name, text := range map[string]string{
		"embed":       fmt.Sprintf("@extern(embed)\npackage g\nx: _ @embed(file=%q,type=text)\ndeny: [{message: x}]\n", secret),
		"package":     "import \"example.com/x\"\ndeny: [{message: x.y}]\n",
		"read a file": fmt.Sprintf("import \"tool/file\"\nf: file.Read & {filename: %q, contents: string}\ndeny: [{message: \"said: \\(f.contents)\"}]\n", secret),
		"run":         fmt.Sprintf("import \"tool/exec\"\nr: exec.Run & {cmd: \"touch %s\", stdout: string}\ndeny: [{message: \"said: \\(r.stdout)\"}]\n", touched),
		"fetch":       "import \"tool/http\"\nr: http.Get & {url: \"http://127.0.0.1:1/\"}\ndeny: [{message: \"said: \\(r.response.body)\"}]\n",
	} {
		got := check(t, Checker{}, text)
		if all := strings.Join(got, "\n"); !strings.Contains(all, "error FL1512") || strings.Contains(all, "s3cret") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("a guardrail ran a program")
	}
	got := check(t, Checker{Time: time.Minute}, "import \"list\"\nimport \"strings\"\ndeny: [for i in list.Range(0, 3, 1) {message: strings.Repeat(\"x\", 1000000)}]\n")
	if want := "guardrails/rule.cue: error FL1513: the guardrail says more than 1048576 bytes (simplify it)"; len(got) != 1 || got[0] != want {
		t.Errorf("too much: %.200q", got)
	}
	got = check(t, Checker{}, "import \"strings\"\ndeny: [{message: strings.Repeat(\"x\", 100000)}]\n")
	if len(got) != 1 || len(got[0]) > 2*longestMessage {
		t.Errorf("a long message: %.200q", got)
	}
}

// Guardrails that cannot be known are a mistake, never none.
func TestUnreadable(t *testing.T) {
	many := fstest.MapFS{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("guardrails/%d.cue", i)] = &fstest.MapFile{Data: []byte("deny: []")}
	}
	for want, files := range map[string]fs.FS{
		"guardrails: error FL1513: there are 257 guardrails, and may be 256":      many,
		"guardrails: error FL1512: the guardrails cannot be read":                 fstest.MapFS{"guardrails": {Data: []byte("elsewhere"), Mode: fs.ModeSymlink}},
		"guardrails/a.cue: error FL1512: the guardrail cannot be read":            fstest.MapFS{"guardrails/a.cue": {Mode: fs.ModeNamedPipe}},
		"guardrails/a.cue: error FL1512: the guardrail cannot be read (make it a": fstest.MapFS{"guardrails/a.cue": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}},
	} {
		found, err := Checker{}.Check(context.Background(), files, nothing)
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].String(), want) {
			t.Errorf("got %v, %v, want %s", found, err, want)
		}
	}
}

const endless = "import \"list\"\nlet n = list.Range(0, 100000, 1)\ndeny: [for a in n for b in n for c in n if a+b+c < 0 {message: \"never\"}]"

// children are the processes that this one started and that still run.
func children(t *testing.T) []string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(tasks) == 0 {
		t.Skipf("this system does not tell of children: %v", err)
	}
	var out []string
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread may be gone
		out = append(out, strings.Fields(string(text))...)
	}
	return out
}

// An interrupt ends the processes at once; should this program be killed, they
// end by the limits that they gave themselves.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := Checker{}.Check(ctx, fstest.MapFS{"guardrails/a.cue": {Data: []byte(endless)}}, nothing)
		done <- err
	}()
	limited := func() bool {
		for _, pid := range children(t) {
			text, _ := os.ReadFile("/proc/" + pid + "/limits")
			if regexp.MustCompile(`Max cpu time +30 `).Match(text) && regexp.MustCompile(`Max file size +0 `).Match(text) {
				return true
			}
		}
		return false
	}
	for start := time.Now(); !limited(); {
		if time.Since(start) > MaxTime {
			t.Fatal("no process with limits was seen")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}
