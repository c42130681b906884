// SPDX-License-Identifier: Apache-2.0

package guardrails

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/compiler/diag"
)

// What a guardrail may take. CUE evaluates rules over a thousand policies in a
// tenth of both.
const (
	MaxTime   = 10 * time.Second
	MaxMemory = 1 << 30
)

// Dir is where guardrails are, from the root of what is read.
const Dir = "guardrails"

// ChildCommand is the argument that makes the program a child.
const ChildCommand = "guardrails-child"

// How much there may be: guardrails, bytes of each, and bytes that each may say.
const (
	maxFiles = 256
	maxFile  = 1 << 20
	maxSaid  = 1 << 20
)

// longestMessage in bytes: some lines of a terminal.
const longestMessage = 1000

// parallel is how many guardrails are evaluated at a time.
const parallel = 2

// Checker evaluates guardrails.
type Checker struct {
	// Program that becomes a child with ChildCommand; empty: this one.
	Program string
	// Time for each guardrail; zero: MaxTime.
	Time time.Duration
}

// Check evaluates the guardrails of files, in the order of their names. Without
// any it costs nothing: judged is only called when there are.
func (c Checker) Check(ctx context.Context, files fs.FS, judged func() (compiler.Judged, bool)) ([]diag.Diagnostic, error) {
	names, wrong := list(files)
	if len(names) == 0 {
		return wrong, nil
	}
	j, ok := judged()
	if !ok {
		return nil, nil
	}
	input, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encode what guardrails see: %w", err)
	}
	found := make([][]diag.Diagnostic, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, name := range names {
		group.Go(func() (err error) {
			found[i], err = c.one(ctx, files, question{name, input, j})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var out []diag.Diagnostic
	for _, ds := range found {
		out = append(out, ds...)
	}
	diag.Locate(files, out)
	return out, nil
}

// list returns the guardrails, sorted. A directory that is there and cannot be
// read is a mistake: nobody would know which rules it has.
func list(files fs.FS) ([]string, []diag.Diagnostic) {
	root, err := fs.ReadDir(files, ".")
	if err == nil && !slices.ContainsFunc(root, func(e fs.DirEntry) bool { return e.Name() == Dir }) {
		return nil, nil
	}
	entries, err := fs.ReadDir(files, Dir)
	if err != nil {
		return nil, question{name: Dir}.wrong(compiler.CodeGuardrailBroken, "the guardrails cannot be read", "make it a directory of CUE files")
	}
	var names []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".cue" {
			names = append(names, path.Join(Dir, e.Name()))
		}
	}
	if len(names) > maxFiles {
		return nil, question{name: Dir}.wrong(compiler.CodeGuardrailLimit, fmt.Sprintf("there are %d guardrails, and may be %d", len(names), maxFiles), "put rules together")
	}
	return names, nil
}

// question is one guardrail and what it sees.
type question struct {
	name   string
	input  json.RawMessage
	judged compiler.Judged
}

func (q question) at(line, column int) diag.Position {
	return diag.Position{File: q.name, Line: line, Column: column}
}

func (q question) wrong(code, message, fix string) []diag.Diagnostic {
	return []diag.Diagnostic{{Code: code, Severity: diag.Error, Message: message, Fix: fix, Position: q.at(0, 0)}}
}

// one evaluates one guardrail.
func (c Checker) one(ctx context.Context, files fs.FS, q question) ([]diag.Diagnostic, error) {
	about, err := fs.Stat(files, q.name)
	if err == nil && about.Mode().IsRegular() && about.Size() > maxFile {
		return q.wrong(compiler.CodeGuardrailLimit, fmt.Sprintf("the guardrail has %d bytes, and may have %d", about.Size(), maxFile), "split it"), nil
	}
	var text []byte
	if err == nil && about.Mode().IsRegular() {
		text, err = fs.ReadFile(files, q.name)
	}
	if err != nil || !about.Mode().IsRegular() {
		return q.wrong(compiler.CodeGuardrailBroken, "the guardrail cannot be read", "make it a readable file"), nil
	}
	r, failure, err := c.ask(ctx, order{Name: q.name, Text: string(text), Input: q.input})
	switch {
	case err != nil:
		return nil, err
	case failure != "":
		return q.wrong(compiler.CodeGuardrailLimit, "the guardrail "+failure, "simplify it"), nil
	}
	return q.diagnostics(r), nil
}

// ask runs a child. failure says which limit it went over; an error is that no
// child could be had, or that ctx is over.
func (c Checker) ask(ctx context.Context, o order) (r reply, failure string, err error) {
	program := c.Program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return r, "", fmt.Errorf("find the program that evaluates guardrails: %w", err)
		}
	}
	limit := c.Time
	if limit == 0 {
		limit = MaxTime
	}
	input, err := json.Marshal(o)
	if err != nil {
		return r, "", fmt.Errorf("encode the order: %w", err)
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(timed, program, ChildCommand)
	// Nothing of the environment is a guardrail's business.
	cmd.Env = []string{"GOTRACEBACK=none"}
	cmd.Stdin = bytes.NewReader(input)
	stdout, stderr := said{most: maxSaid}, said{most: maxSaid}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	runErr := cmd.Run()
	ended := (*exec.ExitError)(nil)
	switch {
	case ctx.Err() != nil:
		return r, "", ctx.Err()
	case runErr != nil && timed.Err() == nil && !errors.As(runErr, &ended):
		return r, "", fmt.Errorf("start the process that evaluates guardrails: %w", runErr)
	case stdout.over || stderr.over:
		return r, fmt.Sprintf("says more than %d bytes", maxSaid), nil
	case timed.Err() != nil:
		return r, fmt.Sprintf("took longer than %s", limit), nil
	case strings.Contains(stderr.text.String(), "out of memory") || strings.Contains(stderr.text.String(), "cannot allocate memory"):
		return r, fmt.Sprintf("needed more than %d MiB of memory", MaxMemory>>20), nil
	case runErr != nil:
		return r, "could not be evaluated to its end", nil
	}
	if err := json.Unmarshal(stdout.text.Bytes(), &r); err != nil {
		return r, "", fmt.Errorf("read what a guardrail said: %w", err)
	}
	return r, "", nil
}

// diagnostics places what a guardrail said.
func (q question) diagnostics(r reply) []diag.Diagnostic {
	var out []diag.Diagnostic
	for _, b := range r.Broken {
		out = append(out, diag.Diagnostic{Code: compiler.CodeGuardrailBroken, Severity: diag.Error, Message: oneLine(b.Message),
			Fix: "see docs/guardrails.md", Position: q.at(b.Line, b.Column)})
	}
	for _, f := range r.Findings {
		d := diag.Diagnostic{Code: compiler.CodeGuardrail, Severity: diag.Warning, Message: oneLine(f.Message), Fix: oneLine(f.Fix), Position: q.at(f.Line, f.Column)}
		if f.Deny {
			d.Severity = diag.Error
		}
		if f.Document != "" {
			at, ok := q.judged.At(f.Document, f.Path)
			if !ok {
				d.Code, d.Severity = compiler.CodeGuardrailNowhere, diag.Error
				d.Message = fmt.Sprintf("the guardrail speaks of %q, which is no document here: %s", f.Document, d.Message)
			} else {
				d.Rule, d.Position = d.Position, at
			}
		}
		out = append(out, d)
	}
	return out
}

// said keeps what a child writes, up to a limit at which it is cut off.
type said struct {
	text bytes.Buffer
	most int
	over bool
}

// Write fails once it is too much, and the child's next write with it.
func (s *said) Write(text []byte) (int, error) {
	if s.over = s.over || s.text.Len()+len(text) > s.most; s.over {
		return 0, errors.New("too much is said")
	}
	return s.text.Write(text)
}

// oneLine is a text as it goes into a message.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestMessage {
		text = strings.ToValidUTF8(text[:longestMessage], "") + "…"
	}
	return text
}
