// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The limits. A thing that breaks one stands in exceptions with its reason.
const (
	maxFileLines        = 400 // a file is read in one sitting
	maxFuncLines        = 60  // a function is seen whole on one screen
	maxParams           = 4   // besides the context; more of them want to be a value
	maxInterfaceMethods = 4   // a wide interface cannot be faked or replaced
)

// exceptions are the places that may break a limit, each with its reason.
var exceptions = map[string]string{}

// badNames are package names that say nothing about what is inside.
var badNames = []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared"}

func TestLimits(t *testing.T) {
	used := map[string]bool{}
	report := func(key, format string, args ...any) {
		if exceptions[key] != "" {
			used[key] = true
			return
		}
		t.Errorf(format, args...)
	}
	for _, path := range goFiles(t) {
		checkFile(path, report)
	}
	for key := range exceptions {
		if !used[key] {
			t.Errorf("exception %q is not needed any more: remove it", key)
		}
	}
}

type reporter func(key, format string, args ...any)

func checkFile(path string, report reporter) {
	src, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		report(path, "%v", err)
		return
	}
	if !strings.HasPrefix(string(src), "// SPDX-License-Identifier: Apache-2.0\n") {
		report(path, "%s: begins without the licence line", path)
	}
	if lines := strings.Count(string(src), "\n"); lines > maxFileLines {
		report(path, "%s: %d lines, the limit is %d: a file is read in one sitting", path, lines, maxFileLines)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	if err != nil {
		report(path, "%v", err)
		return
	}
	if slices.Contains(badNames, file.Name.Name) {
		report(path, "%s: package %s: the name says nothing about what is inside", path, file.Name.Name)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		checkNode(fset, n, func(key, format string, args ...any) { report(path+":"+key, path+": "+format, args...) })
		return true
	})
}

func checkNode(fset *token.FileSet, n ast.Node, report reporter) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if lines := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1; lines > maxFuncLines {
			report(n.Name.Name, "%s has %d lines, the limit is %d: a function is seen whole", n.Name.Name, lines, maxFuncLines)
		}
		if got := params(n.Type); got > maxParams {
			report(n.Name.Name, "%s takes %d parameters, the limit is %d: they want to be a value", n.Name.Name, got, maxParams)
		}
		if n.Name.Name == "init" && n.Recv == nil {
			report("init", "func init: what runs must be called by somebody")
		}
	case *ast.TypeSpec:
		if i, ok := n.Type.(*ast.InterfaceType); ok && methods(i) > maxInterfaceMethods {
			report(n.Name.Name, "interface %s has %d methods, the limit is %d: declare what is used, where it is used",
				n.Name.Name, methods(i), maxInterfaceMethods)
		}
	}
}

// params counts parameters without a leading context.
func params(f *ast.FuncType) int {
	count := 0
	for _, field := range f.Params.List {
		if sel, ok := field.Type.(*ast.SelectorExpr); ok && fmt.Sprint(sel.X) == "context" && sel.Sel.Name == "Context" {
			continue
		}
		count += max(1, len(field.Names))
	}
	return count
}

func methods(i *ast.InterfaceType) int {
	count := 0
	for _, m := range i.Methods.List {
		count += len(m.Names)
	}
	return count
}

func TestEveryPackageHasADocFile(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil && !strings.HasPrefix(p.room(), "cmd/") {
			t.Errorf("%s has no doc.go: it tells what the package does, its words and what is out of scope", p.room())
		}
	}
}

// goFiles lists our Go files, generated ones and nested modules left out.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := fs.Stat(root, path+"/go.mod")
			if path != "." && (nested == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") && !strings.HasPrefix(d.Name(), "zz_generated") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
