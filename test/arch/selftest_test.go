// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"go/ast"
)

// A rule that cannot say no guards nothing: each is shown something bad.
func TestTheRulesCanSayNo(t *testing.T) {
	t.Run("walls", func(t *testing.T) {
		for _, w := range walls {
			p := pkg{ImportPath: module + w.in[0] + "/x", Imports: []string{w.forbidden[0]}, Deps: []string{w.forbidden[0]}}
			if len(w.broken(p)) != 1 {
				t.Errorf("%q lets %s through", w.rule, w.forbidden[0])
			}
			fine := pkg{Imports: []string{"fmt", "net/netip"}, Deps: []string{"fmt", "net/netip"}}
			if bad := w.broken(fine); len(bad) != 0 {
				t.Errorf("%q forbids %v", w.rule, bad)
			}
		}
	})
	t.Run("limits", func(t *testing.T) {
		src := "package p\nfunc init() {}\nfunc f(a, b, c, d, e int) {\n" + strings.Repeat("\n", 60) + "}\n" +
			"type I interface { A(); B(); C(); D(); E() }\n"
		got := strings.Join(findings(t, src), "\n")
		for _, want := range []string{"func init", "f has 62 lines", "f takes 5 parameters", "interface I has 5 methods"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q was not reported in:\n%s", want, got)
			}
		}
	})
	t.Run("the context does not count", func(t *testing.T) {
		if got := findings(t, "package p\nfunc f(ctx context.Context, a, b, c, d int) {}\n"); len(got) != 0 {
			t.Errorf("reported: %v", got)
		}
	})
}

func findings(t *testing.T, src string) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ast.Inspect(file, func(n ast.Node) bool {
		checkNode(fset, n, func(_, format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
		return true
	})
	return got
}
