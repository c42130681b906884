// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/schemas"
	"github.com/fairlead/fairlead/test/workload"
)

// vetting has the CUE command ask of each document what Fairlead asks with CUE:
// that it is what the definition says, and that no rule has a mistake.
const vetting = `package v1alpha1

#VettedTrafficPolicy: {
	#TrafficPolicy
	kind: _
	spec: _
	let rules = #TrafficPolicyRules & {document: {"kind": kind, "spec": spec}}
	_mistakes: {for name, found in rules.mistakes {(name): 0 & len(found)}}
}
`

// figureVet compares both commands on the same files, with the same rules.
func figureVet(b *testing.B, w workload.Workload) {
	dir := b.TempDir()
	var policies []string
	for name, file := range w.Files {
		at := filepath.Join(dir, "repository", name)
		write(b, at, file.Data)
		if strings.HasPrefix(name, "policies/") {
			policies = append(policies, at)
		}
	}
	slices.Sort(policies)
	texts, err := schemas.CUE()
	if err != nil {
		b.Fatal(err)
	}
	args := []string{"vet", "-c", "-d", "#VettedTrafficPolicy", filepath.Join(dir, "vetting.cue")}
	write(b, args[4], []byte(vetting))
	for name, text := range texts {
		at := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		write(b, at, []byte(text))
		args = append(args, at)
	}
	cue := command(b, dir, "cue", "cuelang.org/go/cmd/cue@"+cueVersion(b))
	ownRules(b, cue, args, dir)
	theirs := runs(b, cue, append(args, policies...)...)
	ours := runs(b, command(b, dir, "fairlead", "../cmd/fairlead"), "vet", filepath.Join(dir, "repository"))
	figure("fairlead vet of W", milliseconds(ours), "")
	figure("cue vet of the same policies, same rules", milliseconds(theirs), "")
	figure("  ratio", fmt.Sprintf("%.2f", float64(ours)/float64(theirs)), "below 1")
}

// ownRules makes sure that the CUE command asks of documents what it shall: the
// definition refuses one, the rules another.
func ownRules(b *testing.B, cue string, args []string, dir string) {
	for name, text := range map[string][]byte{"definition": bytes.Replace(everNew(1), []byte("port: 2,"), []byte("port: none,"), 1), "rules": wrong(1)} {
		at := filepath.Join(dir, name+".yaml")
		write(b, at, text)
		if out, err := exec.Command(cue, append(slices.Clone(args), at)...).CombinedOutput(); err == nil {
			b.Fatalf("the CUE command sees no mistake that the %s have\n%s", name, out)
		}
	}
}

func write(b *testing.B, name string, text []byte) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		b.Fatal(err)
	}
}

// cueVersion is the one that Fairlead is built with.
func cueVersion(b *testing.B) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "cuelang.org/go").Output()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// command builds a program.
func command(b *testing.B, dir, name, path string) string {
	build := exec.Command("go", "build", "-o", filepath.Join(dir, name), path)
	if strings.Contains(path, "@") {
		build = exec.Command("go", "install", path)
		build.Env = append(os.Environ(), "GOBIN="+dir)
	}
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", path, err, out)
	}
	return filepath.Join(dir, name)
}

// runs is the shortest of three runs of a program that must be content.
func runs(b *testing.B, program string, args ...string) time.Duration {
	var took []time.Duration
	for range 3 {
		c := exec.Command(program, args...)
		start := time.Now()
		out, err := c.CombinedOutput()
		took = append(took, time.Since(start))
		if err != nil {
			b.Fatalf("%s: %v\n%.2000s", program, err, out)
		}
	}
	return slices.Min(took)
}
