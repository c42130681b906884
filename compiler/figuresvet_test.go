// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead/fairlead/compiler/internal/source"
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
	theirs := runs(b, command(b, dir, "cue", "cuelang.org/go/cmd/cue@"+cueVersion(b)), append(args, policies...)...)
	ours := runs(b, command(b, dir, "fairlead", "../cmd/fairlead"), "vet", filepath.Join(dir, "repository"))
	figure("fairlead vet of W", milliseconds(ours), "")
	figure("cue vet of the same policies, same rules", milliseconds(theirs), "")
	figure("  ratio", fmt.Sprintf("%.2f", float64(ours)/float64(theirs)), "below 1")
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

// How many documents a resident process validates, and how many of them stand
// in one repository at a time.
const (
	residentDocuments = 100_000
	residentFiles     = 100
)

// figureResident validates documents with ever new names and keys in one
// process.
func figureResident(b *testing.B) {
	cache := &source.Cache{}
	var first, most uint64
	for n := range residentDocuments / residentFiles {
		files := fstest.MapFS{}
		for i := range residentFiles {
			files[fmt.Sprintf("%d.yaml", i)] = &fstest.MapFile{Data: everNew(n*residentFiles + i)}
		}
		if _, diags := cache.Load(files); len(diags) > 0 {
			b.Fatal(diags[0])
		}
		// What a process needs it has after a tenth.
		if n%100 == 99 {
			if now := live(); n == 99 {
				first = now
			} else {
				most = max(most, now)
			}
		}
	}
	figure("resident: live memory after 10,000 documents", kibibytes(first), "")
	figure("resident: most, up to 100,000 documents", kibibytes(most), "")
	figure("  growth", fmt.Sprintf("%+.1f %%", 100*(float64(most)/float64(first)-1)), "within 10 %")
}

func kibibytes(n uint64) string { return fmt.Sprintf("%d KiB", n>>10) }

// live is the memory in use after a collection.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse + m.MSpanInuse + m.MCacheInuse + m.BuckHashSys + m.GCSys + m.OtherSys
}

// everNew is a policy in which every name and key is its own.
func everNew(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `apiVersion: fairlead.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: policy-%[1]d, namespace: team-%[1]d, labels: {example.com/key-%[1]d: value-%[1]d}}
spec:
  clusterSet: set-%[1]d
  service: {name: service-%[1]d, ports: [{port: %[2]d, protocol: http}]}
  exports: {from: {matchLabels: {stage-%[1]d: "yes"}}}
  rules:
  - name: rule-%[1]d
    matches: [{headers: [{name: x-header-%[1]d, exact: value-%[1]d}]}]
    backends: [{cluster: cluster-%[1]d, subset: {version-%[1]d: v1}}]
  - backends: [{cluster: cluster-%[1]d, weight: 3}, {cluster: other-%[1]d}]
`, n, 1+n%65535)
	return b.Bytes()
}
