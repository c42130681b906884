// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"fmt"
	"os/exec"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// metaCreate names the tests' own field manager, so that it never looks like
// Fairlead's.
var metaCreate = metav1.CreateOptions{FieldManager: "somebody-else"}

// moduleDir returns where a module of the build lies on disk.
func moduleDir(root, module string) (string, error) {
	cmd := exec.Command("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}
