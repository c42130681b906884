// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fairlead/fairlead/internal/cli"
)

// pseudoTerminal returns both ends of a new terminal.
func pseudoTerminal(t *testing.T) (master, user *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs a pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	user, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, user
}

// TestColour: mistakes are coloured on a terminal, unless the user or the
// terminal says no.
func TestColour(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("apiVersion: fairlead.dev/v1\nkind: ClusterSet\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		noColour, term string
		want           bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", test.noColour)
		t.Setenv("TERM", test.term)
		master, user := pseudoTerminal(t)
		code := cli.Run(context.Background(), cli.Streams{Out: user, Err: user}, []string{"vet", dir})
		user.Close()
		// The kernel reports the end of a terminal as an error.
		text, _ := io.ReadAll(master)
		if got := strings.Contains(string(text), "\x1b["); got != test.want || code != 2 || !strings.Contains(string(text), "FL1101") {
			t.Errorf("%+v: colour: %v, exit code %d, written: %q", test, got, code, text)
		}
	}
}

// TestWidth: a long line is cut to what the terminal shows.
func TestWidth(t *testing.T) {
	dir := t.TempDir()
	text := "apiVersion: fairlead.dev/v1alpha1\nkind: ClusterSet\nmetadata: {name: a}\nspec: {clusters: [{name: a}], domain: " + strings.Repeat("A", 100) + "}\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NO_COLOR", "1")
	for _, width := range []uint16{0, 40, 70} {
		master, user := pseudoTerminal(t)
		if err := unix.IoctlSetWinsize(int(user.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: 25}); err != nil {
			t.Fatal(err)
		}
		cli.Run(context.Background(), cli.Streams{Out: user, Err: user}, []string{"vet", dir})
		user.Close()
		shown, _ := io.ReadAll(master) // the end of a terminal is an error
		want := int(width)
		if width == 0 {
			want = 120
		}
		_, line, _ := strings.Cut(string(shown), "\n")
		line, _, _ = strings.Cut(line, "\r\n")
		if got := len([]rune(line)); got > want || got < want-5 {
			t.Errorf("a terminal of %d columns shows %d: %s", width, got, line)
		}
	}
}

// TestPathsAreThoseOfTheReader: what is printed can be opened from where the
// reader is.
func TestPathsAreThoseOfTheReader(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "policies", "eu"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policies", "eu", "a.yaml"), []byte("apiVersion: fairlead.dev/v1\nkind: ClusterSet\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "policies"))
	for args, want := range map[string]string{
		"vet":                                       "eu/a.yaml:1:1: error",
		"vet ../policies":                           "../policies/eu/a.yaml:1:1: error",
		"vet --repo .. --path policies":             "../policies/eu/a.yaml:1:1: error",
		"vet --repo . --path eu":                    "eu/a.yaml:1:1: error",
		"vet " + dir + "/policies":                  "eu/a.yaml:1:1: error",
		"vet --path eu file://" + dir + "/policies": "eu/a.yaml:1:1: error",
	} {
		var out, err strings.Builder
		cli.Run(context.Background(), cli.Streams{Out: &out, Err: &err}, strings.Fields(args))
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: %q, want %q first", args, out.String(), want)
		}
	}
}
