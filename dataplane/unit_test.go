// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
	"github.com/fairlead/fairlead/schemas/v1alpha1"
	"github.com/fairlead/fairlead/test/sandbox"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestBackoff(t *testing.T) {
	var b backoff
	if !b.allowed(noon) {
		t.Error("the first attempt waits")
	}
	now, waits := noon, []time.Duration{}
	for range 9 {
		b.failed(now)
		if b.allowed(now) {
			t.Fatal("an attempt at once after a failure")
		}
		waits = append(waits, b.until.Sub(now))
		now = b.until
	}
	if waits[0] != firstRetry || waits[1] != 2*firstRetry || waits[8] != lastRetry {
		t.Errorf("waits %v", waits)
	}
	if b.reset(); !b.allowed(now) {
		t.Error("a reset does not allow an attempt")
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	for range driftBurst {
		if !b.allowed(noon) {
			t.Fatal("the burst is too short")
		}
		b.spend(noon)
	}
	if b.allowed(noon) || b.allowed(noon.Add(driftRefill-1)) {
		t.Error("no limit")
	}
	if !b.allowed(noon.Add(driftRefill)) {
		t.Error("no refill")
	}
	b.spend(noon.Add(driftRefill))
	if b.allowed(noon.Add(driftRefill)) {
		t.Error("more than one refill")
	}
	if later := noon.Add(time.Hour); !b.allowed(later) || b.spent != 0 {
		t.Errorf("after an hour %d are spent", b.spent)
	}
}

func TestAnnouncement(t *testing.T) {
	spec := v1alpha1.NodeStateSpec{PublicKey: "k"}
	ok := outcome{ready: true, reason: reasonApplied, message: "the kernel matches", generation: 3, mtu: 1440}
	first := announcement(nil, spec, ok, noon)
	again := announcement(&first, spec, ok, noon.Add(time.Hour))
	if !again.Status.Conditions[0].LastTransitionTime.Time.Equal(noon) || again.Status.ObservedGeneration != 3 || again.Status.MTU != 1440 {
		t.Errorf("the same again: %+v", again.Status)
	}
	bad := announcement(&first, spec, outcome{reason: reasonKernel, message: strings.Repeat("x", 2*maxMessage), mtu: -1}, noon.Add(time.Hour))
	c := bad.Status.Conditions[0]
	if bad.Status.ObservedGeneration != 3 || bad.Status.MTU != 1440 || c.Status != "False" || len(c.Message) != maxMessage || c.LastTransitionTime.Time.Equal(noon) {
		t.Errorf("after a failure: %+v", bad.Status)
	}
	if first.Status.Conditions[0].Status != "True" {
		t.Error("what was announced before was changed")
	}
}

func TestJudge(t *testing.T) {
	gateway := desired.State{Tunnel: &desired.Tunnel{MTU: 1440}}
	partial := desired.State{Problems: []string{"peer c2/gw-a: bad"}}
	for name, c := range map[string]struct {
		state desired.State
		err   error
		want  outcome
	}{
		"matches": {gateway, nil, outcome{ready: true, reason: reasonApplied, message: "the kernel matches", generation: 7, mtu: 1440}},
		"failed":  {gateway, errors.New("no"), outcome{reason: reasonKernel, message: "no", mtu: -1}},
		"partial": {partial, nil, outcome{reason: reasonInvalid, message: "applied what could be used, and removed nothing: peer c2/gw-a: bad"}},
	} {
		if got := judge(c.state, 7, c.err); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// outcomeOf runs the program in process.
func outcomeOf(t *testing.T, args ...string) (code int, out, errText string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stdout bytes.Buffer
	code = Run(context.Background(), Streams{Out: &stdout, Err: f}, args)
	content, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, stdout.String(), string(content)
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(broken, []byte("a: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]struct {
		code      int
		out, text string
	}{
		"version":                                {codeOK, "fairlead-agent ", ""},
		"--help":                                 {codeOK, "", "--node NAME"},
		"-h":                                     {codeOK, "", "-state-dir directory"},
		"":                                       {codeError, "", "--node is missing; see fairlead-agent --help"},
		"--nod n1":                               {codeError, "", "flag provided but not defined: -nod"},
		"--node n1 extra":                        {codeError, "", `unexpected argument "extra"`},
		"--node n1 --address x":                  {codeError, "", `"x" is not an address`},
		"--node n1 --state-dir=":                 {codeError, "", "--state-dir must not be empty"},
		"--node n1 --config a --kubeconfig b":    {codeError, "", "exclude each other"},
		"--cleanup --once":                       {codeError, "", "--cleanup reads nothing"},
		"--cleanup --state-dir " + dir + "/none": {codeError, "", "there is no state directory"},
		"--node n1 --kubeconfig " + dir + "/none": {codeError, "", "read the kubeconfig"},
		"--node n1 --kubeconfig " + broken:        {codeError, "", "read the kubeconfig"},
		deviceCommand + " x":                      {codeError, "", "takes the name and the alias"},
	} {
		code, out, text := outcomeOf(t, strings.Fields(args)...)
		if code != want.code || !strings.HasPrefix(out, want.out) || !strings.Contains(text, want.text) {
			t.Errorf("%q: %d, %q, %q; want %+v", args, code, out, text, want)
		}
	}
}

// TestOutsideACluster: without a kubeconfig there must be a service account.
func TestOutsideACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if code, _, text := outcomeOf(t, "--node", "n1"); code != codeError || !strings.Contains(text, "use --kubeconfig or --config") {
		t.Errorf("%d, %q", code, text)
	}
}

// TestCorruptKey stops the agent before anything is touched.
func TestCorruptKey(t *testing.T) {
	sandbox.Need(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "wireguard.key")
	if err := os.WriteFile(path, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, text := outcomeOf(t, "--node", "n1", "--config", t.TempDir(), "--state-dir", dir)
	if code != codeError || !strings.Contains(text, path) || strings.Contains(text, "nonsense") {
		t.Errorf("%d, %q", code, text)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "nonsense\n" {
		t.Errorf("the key file became %q, %v", content, err)
	}
}
