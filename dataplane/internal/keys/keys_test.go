// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadMakesOneKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, FileName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	again, err := Load(dir)
	if err != nil || again.Reveal() != first.Reveal() {
		t.Errorf("another key, %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if raw, err := base64.StdEncoding.DecodeString(first.Public()); err != nil || len(raw) != Length || [Length]byte(raw) == first.Reveal() {
		t.Errorf("public key %q, %v", first.Public(), err)
	}
}

func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := Load(dir)
	if err != nil || Lost(dir) {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil || !Lost(dir) {
		t.Fatal("not lost", err)
	}
	if err := Keep(dir, first); err != nil || Lost(dir) {
		t.Fatal("not kept", err)
	}
	if again, err := Load(dir); err != nil || again.Reveal() != first.Reveal() {
		t.Errorf("another key, %v", err)
	}
	other, err := Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := Keep(dir, other); err != nil {
		t.Error(err)
	}
	if again, err := Load(dir); err != nil || again.Reveal() != first.Reveal() {
		t.Errorf("a key that is there was replaced, %v", err)
	}
}

func TestLoadAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	keys := make([]Private, 8)
	var wait sync.WaitGroup
	for i := range keys {
		wait.Go(func() {
			var err error
			if keys[i], err = Load(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, k := range keys {
		if k.Public() != keys[0].Public() {
			t.Fatal("two keys were made")
		}
	}
}

// TestUnusableKeyStays: a file that is no key is named and never replaced.
func TestUnusableKeyStays(t *testing.T) {
	valid, err := generate(bytes.NewReader(bytes.Repeat([]byte{7}, Length)))
	if err != nil {
		t.Fatal(err)
	}
	raw := valid.Reveal()
	good := base64.StdEncoding.EncodeToString(raw[:])
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"empty":           {"", 0o600, "not one line of 32 bytes"},
		"truncated":       {good[:20], 0o600, "not one line of 32 bytes"},
		"two lines":       {good + "\n" + good + "\n", 0o600, "not one line of 32 bytes"},
		"not Curve25519":  {base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{255}, Length)), 0o600, "not a Curve25519 private key"},
		"others may read": {good + "\n", 0o644, "mode 0644"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, c.want)
			}
			if err != nil && len(c.content) >= 20 && strings.Contains(err.Error(), c.content[:20]) {
				t.Errorf("the error shows the file: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != c.content {
				t.Errorf("the file became %q, %v", after, err)
			}
		})
	}
}

func TestPrivateDoesNotShow(t *testing.T) {
	key, err := generate(bytes.NewReader(bytes.Repeat([]byte{0x41}, Length)))
	if err != nil {
		t.Fatal(err)
	}
	raw := key.Reveal()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "in", struct{ K Private }{key})
	asJSON, err := json.Marshal(map[string]any{"key": key})
	if err != nil {
		t.Fatal(err)
	}
	inside := struct{ K Private }{key}
	for _, shown := range []string{
		fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s %q %x %d", key, key, key, key, key, key, key),
		fmt.Sprintf("%v %+v %#v", inside, inside, inside), log.String(), string(asJSON),
	} {
		for _, secret := range []string{base64.StdEncoding.EncodeToString(raw[:])[:16], fmt.Sprintf("%x", raw[4:8]), "AAAA", "65 65 65"} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q shows the key", shown)
			}
		}
	}
}

func TestZeroPrivate(t *testing.T) {
	if k := (Private{}); k.Public() != "" || k.Reveal() != [Length]byte{} {
		t.Error("the zero Private has a key")
	}
}

func TestLoadErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil {
		t.Error("a file served as the state directory")
	}
	if _, err := generate(bytes.NewReader(nil)); err == nil {
		t.Error("a key was made of nothing")
	}
}
