// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
	facts "github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/compiler/manifest"
)

// CompareCompiler reports what this compiler writes differently from another
// build of the program, such as the release before, for the same revision and
// the same inventory. No cluster is asked. The other program is started as
// "PROGRAM compile DIRECTORY -o DIRECTORY"; it must not find mistakes.
func CompareCompiler(ctx context.Context, o Options, program string, inv facts.Inventory) (Report, error) {
	snapshot, err := Take(ctx, o.Source)
	if err != nil {
		return Report{}, err
	}
	defer snapshot.Close()
	after, diags := compiler.Compile(snapshot.Files, inv)
	out := newReport(snapshot.Revision, after, diags)
	out.DryRun = true
	if diag.HasErrors(diags) {
		return out, nil
	}
	before, err := compileWith(ctx, program, snapshot.Files, inv)
	if err != nil {
		return Report{}, err
	}
	if err := assignClaims(before, after.Bundles); err != nil {
		return Report{}, fmt.Errorf("read what %s wrote: %w", program, err)
	}
	out.Assumed = append(assumptions(inv, time.Now())[:1], "the clusters hold what "+program+" writes")
	out.Clusters = compareResults(compiler.Result{Bundles: bundlesOf(before)}, after)
	return out, nil
}

// written is what another program wrote for one cluster. Claims do not say
// whose they are.
type written struct {
	bundle manifest.Bundle
	claims []*unstructured.Unstructured
}

func bundlesOf(all []*written) []manifest.Bundle {
	var out []manifest.Bundle
	for _, w := range all {
		out = append(out, w.bundle)
	}
	return out
}

// compileWith has another program compile the same files and reads what it
// wrote.
func compileWith(ctx context.Context, program string, files fs.FS, inv facts.Inventory) ([]*written, error) {
	dir, err := os.MkdirTemp("", "fairlead-diff-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for %s: %w", program, err)
	}
	defer os.RemoveAll(dir)
	from, to := filepath.Join(dir, "documents"), filepath.Join(dir, "output")
	if err := copyDocuments(from, files); err != nil {
		return nil, fmt.Errorf("copy the documents for %s: %w", program, err)
	}
	args := []string{"compile", from, "-o", to}
	if inv.Kind != "" {
		text, err := yaml.Marshal(inv)
		if err != nil {
			return nil, fmt.Errorf("write the inventory for %s: %w", program, err)
		}
		name := filepath.Join(dir, "inventory.yaml")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return nil, fmt.Errorf("write the inventory for %s: %w", program, err)
		}
		args = append(args, "--inventory", name)
	}
	var said bytes.Buffer
	c := exec.CommandContext(ctx, program, args...)
	c.Stderr = &said
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		return nil, fmt.Errorf("%s does not compile these documents: %s", program, why(err, strings.ReplaceAll(said.String(), from+"/", "")))
	}
	return readOutput(to)
}

// why is the first line that a program said, or how it ended.
func why(err error, said string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) && first != "" {
		return first
	}
	return err.Error()
}

// copyDocuments writes the files that a compiler reads.
func copyDocuments(to string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
		switch ext := filepath.Ext(name); {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, filepath.FromSlash(name)), 0o700)
		case hidden || !entry.Type().IsRegular() || ext != ".yaml" && ext != ".yml":
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, filepath.FromSlash(name)), text, 0o600)
	})
}

// readOutput reads a directory that a compiler wrote: a file for each cluster.
func readOutput(dir string) ([]*written, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var out []*written
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		w := &written{bundle: manifest.Bundle{Store: strings.TrimSuffix(filepath.Base(name), ".yaml")}}
		for _, document := range bytes.Split(append([]byte("\n"), text...), []byte("\n---\n")) {
			if err := w.take(document); err != nil {
				return nil, fmt.Errorf("read the objects for %s: %w", w.bundle.Store, err)
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// take reads one document.
func (w *written) take(document []byte) error {
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		return err
	}
	var u unstructured.Unstructured
	if err := json.Unmarshal(text, &u.Object); err != nil || len(u.Object) == 0 {
		return err
	}
	id := manifest.FragmentID(u.GetAnnotations()[manifest.AnnotationFragment])
	if id == "" {
		w.claims = append(w.claims, &u)
		return nil
	}
	o, err := manifest.FromContent(u.Object)
	if err != nil {
		return err
	}
	f := w.fragment(id)
	f.Objects = append(f.Objects, o)
	return nil
}

// fragment returns one that there is from then on.
func (w *written) fragment(id manifest.FragmentID) *manifest.Fragment {
	all := &w.bundle.Fragments
	i := slices.IndexFunc(*all, func(f manifest.Fragment) bool { return f.ID == id })
	if i < 0 {
		i = len(*all)
		*all = append(*all, manifest.Fragment{ID: id})
	}
	return &(*all)[i]
}

// claimant is the fragment of a bundle that claims fields of an object; empty
// where none does.
func claimant(b manifest.Bundle, ref manifest.Ref) manifest.FragmentID {
	for _, f := range b.Fragments {
		if slices.ContainsFunc(f.Claims, func(c manifest.Claim) bool { return c.Ref() == ref }) {
			return f.ID
		}
	}
	return ""
}

// assignClaims gives claims to the fragments that claim the same object now.
func assignClaims(before []*written, after []manifest.Bundle) error {
	for _, w := range before {
		i := slices.IndexFunc(after, func(b manifest.Bundle) bool { return b.Store == w.bundle.Store })
		for _, u := range w.claims {
			ref := manifest.Ref{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
			c, err := manifest.NewClaim(ref, u.GetLabels(), u.GetAnnotations())
			if err != nil {
				return err
			}
			id := manifest.FragmentID("")
			if i >= 0 {
				id = claimant(after[i], ref)
			}
			f := w.fragment(id)
			f.Claims = append(f.Claims, c)
		}
	}
	return nil
}
