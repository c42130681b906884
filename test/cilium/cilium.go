// SPDX-License-Identifier: Apache-2.0

package cilium

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/test/tools"
)

// program is the name of the tool.
const program = "cilium-check"

// Check runs the tool.
type Check struct{ path string }

// Find returns the tool of the source tree around a directory. It fails where
// the tool is not built.
func Find(from string) (Check, error) {
	store, err := tools.Find(from)
	if err != nil {
		return Check{}, err
	}
	for _, missing := range store.Missing() {
		if missing.Name == program {
			return Check{}, fmt.Errorf("not built: %s (looked in %s); run `make tools` first", program, store.Dir)
		}
	}
	return Check{path: store.Path(program)}, nil
}

// Flow is a connection that one endpoint opens to a pod.
type Flow struct {
	// Kind is set by Judge.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// From has the labels of the pod that calls, Cilium's own among them; Entity
	// is the caller instead where it is no pod, such as world or host.
	From   map[string]string `json:"from,omitempty"`
	Entity string            `json:"entity,omitempty"`
	// To has the labels of the pod that is called.
	To map[string]string `json:"to"`
	// Port of the pod, and its protocol: TCP or UDP.
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

// Verdict is what an agent makes of one policy.
type Verdict struct {
	// Name as namespace/name.
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	// DefaultDeny: the selected pods refuse everything that no policy allows.
	DefaultDeny bool `json:"defaultDeny"`
}

// Passage says whether a flow is let in.
type Passage struct {
	Flow    string `json:"flow"`
	Allowed bool   `json:"allowed"`
}

// Judge returns what an agent in the cluster of that name makes of the policies
// among the documents, a YAML stream, and which of the flows they let in.
func (c Check) Judge(ctx context.Context, cluster string, documents []byte, flows ...Flow) ([]Verdict, []Passage, error) {
	in := bytes.NewBuffer(bytes.Clone(documents))
	for _, f := range flows {
		f.Kind = "Flow"
		text, err := yaml.Marshal(f)
		if err != nil {
			return nil, nil, fmt.Errorf("encode flow %s: %w", f.Name, err)
		}
		fmt.Fprintf(in, "---\n%s", text)
	}
	out, err := c.run(ctx, in, "judge", cluster)
	if err != nil {
		return nil, nil, err
	}
	var verdicts []Verdict
	var passages []Passage
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var line struct {
			Verdict
			Passage
		}
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return verdicts, passages, nil
		case err != nil:
			return verdicts, passages, fmt.Errorf("read the answer of %s: %w", program, err)
		case line.Flow != "":
			passages = append(passages, line.Passage)
		default:
			verdicts = append(verdicts, line.Verdict)
		}
	}
}

// Definition returns the CustomResourceDefinition of CiliumNetworkPolicy, as
// YAML.
func (c Check) Definition(ctx context.Context) ([]byte, error) { return c.run(ctx, nil, "crd") }

func (c Check) run(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.path, args...)
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = in, &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w: %s", program, err, complaint.String())
	}
	return out, nil
}
