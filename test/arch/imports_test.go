// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fairlead/fairlead/"

// pkg is what "go list -json" tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// room is the import path inside the module.
func (p pkg) room() string { return strings.TrimPrefix(p.ImportPath, module) }

// wall forbids imports: the packages below In import nothing of Forbidden.
// Entries match a whole import path or everything below it.
type wall struct {
	rule      string
	reason    string
	in        []string
	except    []string
	forbidden []string
	allowed   []string
	// deep looks at everything that is linked, not only at direct imports.
	deep bool
}

var walls = []wall{
	{
		rule:      "schemas imports none of our packages",
		reason:    "it is the contract; everything depends on it, so it depends on nothing",
		in:        []string{"schemas"},
		forbidden: []string{module + "compiler", module + "reconciler", module + "dataplane", module + "internal", module + "cmd", module + "test"},
	},
	{
		rule:   "the compiler is pure",
		reason: "same bytes in, same bytes out: no clock, network, environment or chance",
		in:     []string{"compiler"},
		forbidden: []string{"net", "net/http", "os", "os/exec", "time", "math/rand", "math/rand/v2", "crypto/rand",
			"k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
		allowed: []string{"net/netip", "net/url"},
	},
	{
		rule:      "only compiler/internal/source imports CUE, and what evaluates the users' own",
		reason:    "CUE is how a document is checked, not how the compiler thinks; guardrails are evaluated in a process of their own",
		in:        []string{"cmd", "compiler", "dataplane", "internal", "reconciler"},
		except:    []string{"compiler/internal/source", "reconciler/internal/guardrails"},
		forbidden: []string{"cuelang.org/go"},
	},
	{
		rule:      "the compiler knows neither the reconciler nor the agent",
		reason:    "data flows one way: Sources, Fleet, Plan, Bundle",
		in:        []string{"compiler"},
		forbidden: []string{module + "reconciler", module + "dataplane", module + "internal", module + "cmd"},
	},
	{
		rule:      "an emitter sees one plan.Plan and nothing else",
		reason:    "what a policy means is decided once, in the plan, and not once per provider",
		in:        []string{"compiler/internal/emit"},
		forbidden: []string{module + "compiler/internal/fleet", module + "compiler/internal/source", module + "compiler/internal/emit"},
	},
	{
		rule:      "the agent links no compiler, CUE, git or reconciler",
		reason:    "the privileged binary has only what it needs",
		in:        []string{"dataplane", "cmd/fairlead-agent"},
		forbidden: []string{"cuelang.org/go", "github.com/go-git/go-git", module + "compiler", module + "reconciler", module + "internal"},
		deep:      true,
	},
	{
		rule:      "netlink stays in the packages that own a kind of kernel object",
		reason:    "what touches the kernel can be found in one place each",
		in:        []string{"cmd", "compiler", "dataplane", "internal", "reconciler"},
		except:    []string{"dataplane/internal/conntrack", "dataplane/internal/link", "dataplane/internal/route"},
		forbidden: []string{"github.com/vishvananda/netlink"},
	},
	{
		rule:      "wgctrl and wireguard-go stay in dataplane/internal/wireguard",
		reason:    "what touches the kernel can be found in one place each",
		in:        []string{"cmd", "compiler", "dataplane", "internal", "reconciler"},
		except:    []string{"dataplane/internal/wireguard"},
		forbidden: []string{"golang.zx2c4.com/wireguard"},
	},
	{
		rule:      "nftables stays in dataplane/internal/nft",
		reason:    "what touches the kernel can be found in one place each",
		in:        []string{"cmd", "compiler", "dataplane", "internal", "reconciler"},
		except:    []string{"dataplane/internal/nft"},
		forbidden: []string{"sigs.k8s.io/knftables"},
	},
}

func TestWalls(t *testing.T) {
	pkgs := list(t)
	for _, w := range walls {
		t.Run(strings.ReplaceAll(w.rule, " ", "-"), func(t *testing.T) {
			seen := 0
			for _, p := range pkgs {
				if !within(p.room(), w.in) || within(p.room(), w.except) {
					continue
				}
				seen++
				for _, bad := range w.broken(p) {
					t.Errorf("%s imports %s\n\trule: %s\n\treason: %s", p.room(), bad, w.rule, w.reason)
				}
			}
			if seen == 0 {
				t.Errorf("no package is below %v: the rule guards nothing", w.in)
			}
		})
	}
}

// broken returns the imports of p that the wall forbids.
func (w wall) broken(p pkg) []string {
	imports := p.Imports
	if w.deep {
		imports = p.Deps
	}
	var bad []string
	for _, i := range imports {
		if i != p.ImportPath && within(i, w.forbidden) && !within(i, w.allowed) {
			bad = append(bad, i)
		}
	}
	return bad
}

// within tells whether a path is one of the roots or below one. "net" forbids
// net alone and not net/netip, because the standard library has no rooms.
func within(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		standard := !strings.Contains(strings.SplitN(root, "/", 2)[0], ".") && !strings.HasPrefix(root, module)
		if standard && isStandard(root) {
			return path == root
		}
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// isStandard tells the standard library's packages from our rooms.
func isStandard(root string) bool {
	rooms := []string{"cmd", "compiler", "dataplane", "internal", "reconciler", "schemas", "test"}
	return !slices.Contains(rooms, strings.SplitN(root, "/", 2)[0])
}

// list returns the packages of the module with their imports.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "./...")
	cmd.Dir = "../.."
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(out); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read the list of packages: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	return pkgs
}
