// SPDX-License-Identifier: Apache-2.0

// The cilium-check program says what Cilium's agent makes of policies, by the
// agent's own parser and policy engine. It has a module of its own so that
// Cilium's dependencies stay out of Fairlead's.
//
//	cilium-check judge CLUSTER < documents
//	cilium-check crd
//
// judge reads Kubernetes objects and Flows as YAML or JSON documents. It writes
// one line of JSON for each CiliumNetworkPolicy among them, as an agent in the
// cluster of that name takes it, and one for each Flow: whether it is let in.
// Other kinds are passed over. crd writes the CustomResourceDefinition of
// CiliumNetworkPolicy.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	cilium "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/client"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy/api"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cilium-check:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "crd":
		text, err := yaml.Marshal(cilium.GetPregeneratedCRD(slog.New(slog.DiscardHandler), cilium.CNPCRDName))
		if err != nil {
			return fmt.Errorf("encode the definition: %w", err)
		}
		_, err = out.Write(text)
		return err
	case len(args) == 2 && args[0] == "judge":
		// As the agent has them when nobody says otherwise.
		option.Config.EnableNonDefaultDenyPolicies = true
		option.Config.EnableL7Proxy = true
		option.Config.EnableICMPRules = true
		return judge(args[1], in, out)
	}
	return errors.New("usage: cilium-check judge CLUSTER < documents, or cilium-check crd")
}

// Verdict is what the agent makes of one policy.
type Verdict struct {
	// Name as namespace/name.
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	// DefaultDeny: the selected pods refuse everything that no policy allows.
	DefaultDeny bool `json:"defaultDeny,omitempty"`
}

func judge(cluster string, in io.Reader, out io.Writer) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	lines := json.NewEncoder(out)
	var rules api.Rules
	var flows []Flow
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read documents: %w", err)
		}
		var head struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(text, &head); err != nil {
			return fmt.Errorf("read a document: %w", err)
		}
		switch head.Kind {
		case v2.CNPKindDefinition:
			verdict, parsed := take(cluster, text)
			rules = append(rules, parsed...)
			if err := lines.Encode(verdict); err != nil {
				return err
			}
		case "Flow":
			var f Flow
			if err := yaml.UnmarshalStrict(text, &f); err != nil {
				return fmt.Errorf("read a flow: %w", err)
			}
			flows = append(flows, f)
		}
	}
	for _, f := range flows {
		answer, err := f.pass(rules)
		if err != nil {
			return fmt.Errorf("flow %s: %w", f.Name, err)
		}
		if err := lines.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// take parses a policy as the agent does.
func take(cluster string, text []byte) (Verdict, api.Rules) {
	var policy v2.CiliumNetworkPolicy
	if err := yaml.UnmarshalStrict(text, &policy); err != nil {
		return Verdict{Error: err.Error()}, nil
	}
	v := Verdict{Name: policy.Namespace + "/" + policy.Name}
	rules, err := policy.Parse(slog.New(slog.DiscardHandler), cluster)
	if err != nil {
		v.Error = err.Error()
		return v, nil
	}
	for _, r := range rules {
		// What the parser added has to hold too.
		if err := r.Sanitize(); err != nil {
			v.Error = err.Error()
			return v, nil
		}
		v.DefaultDeny = v.DefaultDeny || *r.EnableDefaultDeny.Ingress
	}
	v.OK = true
	return v, rules
}
