// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/cli"
)

// commandsOf are the lines of a README that call the program, each with its
// continuations.
func commandsOf(text string) []string {
	const program = "    fairlead "
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		if command, ok := strings.CutPrefix(line, program); ok {
			out = append(out, command)
		}
	}
	return out
}

// What the READMEs of the examples tell to type works, from the root of the
// repository.
func TestReadmes(t *testing.T) {
	full, err := filepath.Abs(examples)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("policies-example", os.DirFS(full)); err != nil {
		t.Fatal(err)
	}
	readmes, err := filepath.Glob("policies-example/*/README.md")
	if err != nil || len(readmes) < 8 {
		t.Fatalf("%d READMEs, %v", len(readmes), err)
	}
	for _, readme := range readmes {
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		verbs := map[string]bool{}
		for _, command := range commandsOf(string(text)) {
			args := strings.Fields(command)
			verbs[args[0]] = true
			var out, wrong strings.Builder
			if code := cli.Run(context.Background(), cli.Streams{Out: &out, Err: &wrong}, args); code != 0 {
				t.Errorf("%s: fairlead %s: exit code %d\n%s%s", readme, command, code, out.String(), wrong.String())
			}
		}
		for _, verb := range []string{"compile", "test", "trace"} {
			if !verbs[verb] {
				t.Errorf("%s does not tell how to %s", readme, verb)
			}
		}
	}
}
