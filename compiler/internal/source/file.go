// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"

	"github.com/fairlead/fairlead/compiler/diag"
)

const (
	// maxFile bounds a file that holds a document of ours: a policy is a few
	// kilobytes, and a Kubernetes object cannot exceed etcd's 1.5 MiB anyhow.
	maxFile = 1 << 20
	// maxSearch bounds how much of somebody else's file is searched for
	// documents of ours; bundles of other projects' definitions reach a few MiB.
	maxSearch = 8 << 20
)

// group is the API group of our documents, as it is looked for in text.
var group = []byte("fairlead.dev")

// bom is the UTF-8 byte order mark that some editors put first.
var bom = []byte("\ufeff")

// readFile returns the text of a file, nothing with a diagnostic when it cannot
// be used, and nothing at all when it is large and somebody else's.
func readFile(files fs.FS, name string) ([]byte, []diag.Diagnostic) {
	f, err := files.Open(name)
	if err != nil {
		return nil, []diag.Diagnostic{unreadable(name)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, []diag.Diagnostic{unreadable(name)}
	}
	if info.Size() > maxFile {
		return nil, large(f, name, info.Size())
	}
	// One byte more than allowed tells a file that is larger than it says.
	text, err := readAll(f, info.Size())
	switch {
	case err != nil:
		return nil, []diag.Diagnostic{unreadable(name)}
	case len(text) > maxFile:
		return nil, []diag.Diagnostic{tooLarge(name, int64(len(text)))}
	}
	text = unixLines(text)
	if d, ok := notText(name, text); ok {
		return nil, []diag.Diagnostic{d}
	}
	return bytes.TrimPrefix(text, bom), nil
}

// readAll reads a file that says how large it is, and at most one byte more than
// is allowed.
func readAll(f io.Reader, size int64) ([]byte, error) {
	var text bytes.Buffer
	// Some room at the end, or the buffer grows before it sees that end.
	text.Grow(int(size) + bytes.MinRead)
	_, err := text.ReadFrom(io.LimitReader(f, maxFile+1))
	return text.Bytes(), err
}

// unixLines makes a line feed of each carriage return without one: YAML takes
// both for the end of a line (YAML 1.2, section 5.4), and lines are counted.
func unixLines(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	for i, b := range text {
		if b == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			text[i] = '\n'
		}
	}
	return text
}

func unreadable(name string) diag.Diagnostic {
	return diag.Diagnostic{Code: diag.CodeUnreadable, Severity: diag.Error,
		Message: "this cannot be read", Fix: "check that it exists and may be read",
		Position: diag.Position{File: name}}
}

func tooLarge(name string, size int64) diag.Diagnostic {
	return diag.Diagnostic{Code: diag.CodeTooLarge, Severity: diag.Error,
		Message:  fmt.Sprintf("the file has %s; a file with Fairlead documents may have %s", mebibytes(size), mebibytes(maxFile)),
		Fix:      "split it into several files, or move it out of the directory that Fairlead reads",
		Position: diag.Position{File: name}}
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// large decides about a file that is too large to be ours. What others keep in
// the repository may be large; it is searched piece by piece.
func large(f io.Reader, name string, size int64) []diag.Diagnostic {
	if size > maxSearch {
		return []diag.Diagnostic{tooLarge(name, size)}
	}
	found, err := contains(io.LimitReader(f, maxSearch), group)
	switch {
	case err != nil:
		return []diag.Diagnostic{unreadable(name)}
	case found:
		return []diag.Diagnostic{tooLarge(name, size)}
	}
	return nil
}

// contains searches a stream with a bounded buffer.
func contains(r io.Reader, what []byte) (bool, error) {
	buf := make([]byte, 0, 64<<10)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, what) {
			return true, nil
		}
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
		// The end of this piece may be the beginning of a hit.
		keep := min(len(buf), len(what)-1)
		buf = buf[:copy(buf, buf[len(buf)-keep:])]
	}
}

// notText finds the first byte that cannot be part of a text file.
func notText(name string, text []byte) (diag.Diagnostic, bool) {
	at := bytes.IndexByte(text, 0)
	if !utf8.Valid(text) {
		for i := 0; i < len(text) && (at < 0 || i < at); {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size <= 1 {
				at = i
				break
			}
			i += size
		}
	}
	if at < 0 {
		return diag.Diagnostic{}, false
	}
	before := text[:at]
	return diag.Diagnostic{Code: diag.CodeNotText, Severity: diag.Error,
		Message: fmt.Sprintf("the file is not UTF-8 text: byte 0x%02x", text[at]),
		Fix:     "save it as UTF-8, or give a binary file another ending than .yaml",
		Position: diag.Position{File: name, Line: bytes.Count(before, []byte("\n")) + 1,
			Column: utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1}}, true
}
