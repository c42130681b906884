// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fairlead/fairlead/internal/cli"
	"github.com/fairlead/fairlead/reconciler"
	"github.com/fairlead/fairlead/test/sandbox"
)

var update = flag.Bool("update", false, "write what came out into the stories")

// asProgram in the environment makes the tests' process the program itself.
const asProgram = "FAIRLEAD_TEST_AS_PROGRAM"

// TestMain lets the tests be the process that evaluates a guardrail, as the
// program itself would be, and another build of the program.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || len(os.Args) > 1 && os.Args[1] == reconciler.GuardrailChild {
		os.Exit(cli.Run(context.Background(), cli.Streams{Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
	}
	sandbox.Main(m)
}

// examples is where the known scenarios are.
const examples = "../../policies-example"

// TestStories runs what needs no cluster.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                commands(),
		Setup:               setUp,
	})
}

func setUp(env *testscript.Env) error {
	full, err := filepath.Abs(examples)
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLES", full)
	program, err := os.Executable()
	if err != nil {
		return err
	}
	env.Setenv("PROGRAM", program)
	for key, value := range map[string]string{
		"HOME": env.WorkDir, "KUBECONFIG": filepath.Join(env.WorkDir, "no-kubeconfig"),
		"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "author@example.com",
		"GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "author@example.com",
	} {
		env.Setenv(key, value)
	}
	return nil
}

func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"fairlead": fairlead,
		"big":      big,
		"replace":  replaceText,
	}
}

// fairlead CODE ARGS… runs the program in this process and checks its exit code.
func fairlead(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fairlead CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := cli.Run(context.Background(), cli.Streams{Out: ts.Stdout(), Err: ts.Stderr()}, args[1:])
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// big FILE BYTES writes a large YAML file.
func big(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	const line = "# fairlead.dev, and nothing else, line after line, until it is large enough\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(line, size/len(line)+1)), 0o644))
}

// replace FILE OLD NEW replaces the only occurrence of a text.
func replaceText(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text := ts.ReadFile(path)
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%q stands %d times in %s", args[1], n, args[0])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

func TestPanicIsOneLine(t *testing.T) {
	var out, err strings.Builder
	code := cli.Run(context.Background(), cli.Streams{Out: panicking{}, Err: &err}, []string{"version"})
	if want := "fairlead: internal error: disk on fire (please report this, with the command)\n"; code != 2 || err.String() != want {
		t.Errorf("exit code %d, out %q, err %q, want %q", code, out.String(), err.String(), want)
	}
}

// panicking is a stream that panics.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic(fmt.Errorf("disk\non fire")) }

func TestInterruptIsOneLine(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err strings.Builder
	code := cli.Run(ctx, cli.Streams{Out: &out, Err: &err},
		[]string{"reconcile", "--repo", examples, "--path", "guestbook/policies", "--kubeconfig", filepath.Join(t.TempDir(), "none")})
	if want := "fairlead: interrupted before anything was written\n"; code != 2 || out.Len() > 0 || err.String() != want {
		t.Errorf("exit code %d, out %q, err %q, want %q", code, out.String(), err.String(), want)
	}
}
