// SPDX-License-Identifier: Apache-2.0

package guardrails

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	cuejson "cuelang.org/go/encoding/json"
	"golang.org/x/sys/unix"
)

// order is what a child is asked.
type order struct {
	// Name and Text of the file.
	Name string `json:"name"`
	Text string `json:"text"`
	// Input is what the guardrail sees.
	Input json.RawMessage `json:"input"`
}

// reply is what a child answers.
type reply struct {
	Findings []finding `json:"findings"`
	Broken   []broken  `json:"broken"`
}

// finding is an entry of deny or warn.
type finding struct {
	Deny     bool   `json:"deny"`
	Message  string `json:"message"`
	Document string `json:"document,omitempty"`
	Path     string `json:"path,omitempty"`
	Fix      string `json:"fix,omitempty"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
}

// broken is a mistake in the file itself; without a line where none is known.
type broken struct {
	Message string `json:"message"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// Child evaluates one guardrail: it reads an order and writes a reply. The
// process that calls it is done afterwards.
func Child(in io.Reader, out io.Writer) error {
	if err := confine(); err != nil {
		return err
	}
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	return json.NewEncoder(out).Encode(evaluate(o))
}

// processors that a child uses at most, for CUE and for the garbage that it
// leaves.
const processors = 2

// confine limits this process. Its parent ends it in time; should somebody kill
// the parent, it comes to its end by the time of processors that it may use.
func confine() error {
	runtime.GOMAXPROCS(processors)
	const seconds = (processors + 1) * uint64(MaxTime/time.Second)
	for _, l := range []struct {
		what  int
		limit uint64
	}{
		// What the program itself needs counts too. Address space does not: the Go
		// runtime reserves much and uses little.
		{unix.RLIMIT_DATA, MaxMemory},
		{unix.RLIMIT_CPU, seconds},
		// It has no file to write, and nobody wants to see its memory.
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_CORE, 0},
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("limit what a guardrail may take: %w", err)
		}
	}
	return nil
}

func evaluate(o order) reply {
	value, err := compile(o)
	if err != nil {
		return reply{Broken: mistakes(o.Name, err)}
	}
	var out reply
	said := false
	for _, list := range []string{"deny", "warn"} {
		v := value.LookupPath(cue.ParsePath(list))
		if !v.Exists() {
			continue
		}
		said = true
		found, err := entries(v, list == "deny")
		if err != nil {
			out.Broken = append(out.Broken, mistakes(o.Name, err)...)
		}
		out.Findings = append(out.Findings, found...)
	}
	if !said {
		out.Broken = append(out.Broken, broken{Message: "there is neither deny nor warn"})
	}
	return out
}

// compile puts the file and its input together.
func compile(o order) (cue.Value, error) {
	file, err := parser.ParseFile(o.Name, o.Text)
	if err != nil {
		return cue.Value{}, err
	}
	input, err := cuejson.Extract("input", o.Input)
	if err != nil {
		return cue.Value{}, err
	}
	var decls []ast.Decl
	if p := file.PackageName(); p != "" {
		decls = append(decls, &ast.Package{Name: ast.NewIdent(p)})
	}
	data := &ast.File{Filename: "input", Decls: append(decls, input.(*ast.StructLit).Elts...)}
	instance := build.NewContext().NewInstance("", nil)
	for _, f := range []*ast.File{file, data} {
		if err := instance.AddSyntax(f); err != nil {
			return cue.Value{}, err
		}
	}
	if err := instance.Complete(); err != nil {
		return cue.Value{}, err
	}
	value := cuecontext.New(cuecontext.EvaluatorVersion(cuecontext.EvalV3)).BuildInstance(instance)
	return value, value.Err()
}

func entries(list cue.Value, deny bool) ([]finding, error) {
	items, err := list.List()
	if err != nil {
		return nil, err
	}
	var out []finding
	var all errors.Error
	for items.Next() {
		f := finding{Deny: deny}
		if err := items.Value().Decode(&f); err != nil {
			all = errors.Append(all, errors.Promote(err, ""))
			continue
		}
		if f.Message == "" {
			all = errors.Append(all, errors.Newf(items.Value().Pos(), "an entry has no message"))
			continue
		}
		f.Deny = deny
		pos := items.Value().LookupPath(cue.ParsePath("message")).Pos()
		f.Line, f.Column = pos.Line(), pos.Column()
		out = append(out, f)
	}
	if all == nil {
		return out, nil
	}
	return out, all
}

// mistakes lists each error once, at the line of the user's file.
func mistakes(name string, err error) []broken {
	var out []broken
	seen := map[broken]bool{}
	for _, e := range errors.Errors(err) {
		b := broken{Message: strings.Join(strings.Fields(e.Error()), " ")}
		for _, p := range append([]token.Pos{e.Position()}, e.InputPositions()...) {
			if p.IsValid() && p.Filename() == name {
				b.Line, b.Column = p.Line(), p.Column()
				break
			}
		}
		if !seen[b] {
			seen[b] = true
			out = append(out, b)
		}
	}
	return out
}
