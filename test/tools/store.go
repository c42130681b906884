// SPDX-License-Identifier: Apache-2.0

package tools

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Tool is one program and how it is built.
type Tool struct {
	// Name is the file name of the program.
	Name string
	// Module is the nested module's directory, relative to test/tools.
	Module string
	// Package is the main package inside that module.
	Package string
	// LDFlags are the linker's flags.
	LDFlags string
}

// kubernetesVersion is what the programs report. Without it kube-apiserver
// calls itself v0.0.0-master, which clients that look at versions refuse.
const kubernetesVersion = "v1.36.3"

// All returns the programs in the order in which they are built: the quick one
// first, so that a broken set-up shows within seconds.
func All() []Tool {
	kube := func(name string) Tool {
		return Tool{
			Name:    name,
			Module:  "kubernetes",
			Package: "k8s.io/kubernetes/cmd/" + name,
			LDFlags: "-s -w" +
				" -X k8s.io/component-base/version.gitVersion=" + kubernetesVersion +
				" -X k8s.io/component-base/version.gitMajor=1" +
				" -X k8s.io/component-base/version.gitMinor=36",
		}
	}
	return []Tool{
		{Name: "etcd", Module: "etcd", Package: ".", LDFlags: "-s -w"},
		kube("kube-apiserver"),
		kube("kube-controller-manager"),
		kube("kube-proxy"),
		{Name: "envoy-gateway", Module: "envoygateway", Package: "github.com/envoyproxy/gateway/cmd/envoy-gateway", LDFlags: "-s -w"},
		{Name: "pilot-discovery", Module: "istio", Package: "istio.io/istio/pilot/cmd/pilot-discovery", LDFlags: "-s -w"},
		// What reads a mesh's control plane as a proxy, and calls through it.
		{Name: "xdsread", Module: "xds", Package: "github.com/fairlead/fairlead/test/tools/xds/xdsread", LDFlags: "-s -w"},
		{Name: "grpcsplit", Module: "xds", Package: "github.com/fairlead/fairlead/test/tools/xds/grpcsplit", LDFlags: "-s -w"},
		// What judges policies as Cilium's agent does.
		{Name: "cilium-check", Module: "cilium", Package: ".", LDFlags: "-s -w"},
	}
}

// clusterPrograms are what a cluster is made of, as opposed to the control
// planes that only some tests run in one.
var clusterPrograms = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy"}

// Store is a directory of built programs.
type Store struct {
	// Dir is absolute. The programs lie directly in it.
	Dir string
	// Source is the absolute path of test/tools in the tree that the Store
	// was named after.
	Source string
}

// EnvDir names the variable that moves all Stores elsewhere. Unset, they lie in
// the user's cache directory, below fairlead/tools.
const EnvDir = "FAIRLEAD_TOOLS_DIR"

// Find returns the Store that belongs to the source tree around the directory
// from, which may be any directory below the root of Fairlead's module. It does
// not look whether anything is built: Missing does.
func Find(from string) (Store, error) {
	root, err := moduleRoot(from)
	if err != nil {
		return Store{}, err
	}
	source := filepath.Join(root, "test", "tools")
	key, err := keyOf(source)
	if err != nil {
		return Store{}, err
	}
	base := os.Getenv(EnvDir)
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return Store{}, fmt.Errorf("find a place for built tools (set %s): %w", EnvDir, err)
		}
		base = filepath.Join(cache, "fairlead", "tools")
	}
	base, err = filepath.Abs(base)
	if err != nil {
		return Store{}, fmt.Errorf("resolve %s: %w", base, err)
	}
	return Store{Dir: filepath.Join(base, key), Source: source}, nil
}

// Path returns where the program of that name lies, built or not.
func (s Store) Path(name string) string { return filepath.Join(s.Dir, name) }

// Missing returns the programs that are not built yet, in building order.
func (s Store) Missing() []Tool {
	var missing []Tool
	for _, t := range All() {
		info, err := os.Stat(s.Path(t.Name))
		if err != nil || !info.Mode().IsRegular() {
			missing = append(missing, t)
		}
	}
	return missing
}

// Require returns an error that tells the reader what to run when one of the
// programs of a cluster is not built, or one of those named besides.
func (s Store) Require(others ...string) error {
	var names []string
	for _, t := range s.Missing() {
		if slices.Contains(clusterPrograms, t.Name) || slices.Contains(others, t.Name) {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("not built: %s (looked in %s); run `make tools` first, it takes some minutes once",
		strings.Join(names, ", "), s.Dir)
}

// moduleRoot walks up from a directory to the one that holds Fairlead's go.mod.
func moduleRoot(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", from, err)
	}
	for d := dir; ; d = filepath.Dir(d) {
		text, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/fairlead/fairlead\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("find the source tree: %s is not inside a clone of github.com/fairlead/fairlead", dir)
		}
	}
}

// keyOf digests what decides all programs together.
func keyOf(source string) (string, error) {
	h := sha256.New()
	for _, t := range All() {
		key, err := t.key(source)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, t.Name, key)
	}
	return short(h), nil
}

// key digests what decides one program: its module's pins and sources, the
// linker's flags, the toolchain and the platform.
func (t Tool) key(source string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, t.Name, t.Package, t.LDFlags)
	tree := os.DirFS(filepath.Join(source, t.Module))
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, path)
		fmt.Fprintln(h, path, len(text))
		h.Write(text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("digest the module of %s: %w", t.Name, err)
	}
	return short(h), nil
}

// short is enough of a digest to tell builds apart.
func short(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil))[:16] }
