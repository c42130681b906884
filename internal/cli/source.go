// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/inventory"
	"github.com/fairlead/fairlead/reconciler"
)

// sourceFlags say where the documents are.
type sourceFlags struct {
	source reconciler.Source
}

func (f *sourceFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.source.Repo, "repo", ".", "directory, local repository or URL (https, ssh) with the documents")
	flags.StringVar(&f.source.Ref, "ref", "", "branch, tag or full commit id; left out: the directory as it is, or the remote's HEAD")
	flags.StringVar(&f.source.Path, "path", "", "directory inside the repository")
	flags.StringVar(&f.source.TokenFile, "git-token-file", "", "file with a token for HTTPS")
	flags.StringVar(&f.source.KeyFile, "git-key-file", "", "private key for SSH; left out: the SSH agent's")
	flags.StringVar(&f.source.KnownHosts, "git-known-hosts", "", "SSH host keys to believe; left out: the usual known_hosts files")
}

// take lets one argument stand for --repo.
func (f *sourceFlags) take(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.Flags().Changed("repo") {
		return fmt.Errorf("both --repo and the directory %s are given; give one", args[0])
	}
	f.source.Repo = args[0]
	return nil
}

// readInventory reads an inventory file; without a name it knows nothing.
func readInventory(name string) (inventory.Inventory, error) {
	var inv inventory.Inventory
	if name == "" {
		return inv, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return inv, fmt.Errorf("read the inventory: %w", err)
	}
	if err := yaml.UnmarshalStrict(text, &inv); err != nil {
		return inv, fmt.Errorf("%s is not an inventory: %s; write it anew with fairlead inventory", name, inventoryMistake(err))
	}
	if inv.APIVersion != inventory.APIVersion || inv.Kind != inventory.Kind {
		return inv, fmt.Errorf("%s is not an inventory: it is %q %q, not %q %q",
			name, inv.APIVersion, inv.Kind, inventory.APIVersion, inventory.Kind)
	}
	return inv, nil
}

// What the YAML reader says, without the words of the language it is written in.
var (
	unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)
	wrongType    = regexp.MustCompile(`cannot unmarshal (\w+) into Go (?:struct field \w+\.([\w.]+)|value)`)
	brokenLine   = regexp.MustCompile(`yaml: line (\d+):`)
)

// inventoryMistake says what is wrong with a file.
func inventoryMistake(err error) string {
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Sprintf("there is no field %q", m[1])
	}
	if m := wrongType.FindStringSubmatch(err.Error()); m != nil {
		// What JSON calls array and object is list and mapping elsewhere.
		m[1] = strings.NewReplacer("array", "list", "object", "mapping").Replace(m[1])
		if m[2] == "" {
			return "it is a " + m[1] + " and no mapping"
		}
		return fmt.Sprintf("the field %s cannot be a %s", m[2], m[1])
	}
	if m := brokenLine.FindStringSubmatch(err.Error()); m != nil {
		return "line " + m[1] + " is not YAML"
	}
	return "it is not YAML"
}
