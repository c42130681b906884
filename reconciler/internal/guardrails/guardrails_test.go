// SPDX-License-Identifier: Apache-2.0

package guardrails

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	const numbers = "import \"list\"\nlet n = list.Range(0, 100000, 1)\n"
	for _, test := range []struct {
		name, text, want string
		time             time.Duration
	}{
		{"endless", numbers + "deny: [for a in n for b in n for c in n if a+b+c < 0 {message: \"never\"}]", "took longer than 500ms", 500 * time.Millisecond},
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
