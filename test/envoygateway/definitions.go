// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func base64Of(text []byte) string { return base64.StdEncoding.EncodeToString(text) }

// installDefinitions adds the custom resources of the Gateway API and of Envoy
// Gateway, from the release that the program is built from. Those of the MCS
// API are in every cluster of package apitest.
func installDefinitions(config *rest.Config, toolsSource string) error {
	log.SetLogger(logr.Discard()) // of envtest, which otherwise complains that there is none
	list := exec.Command("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/envoyproxy/gateway")
	list.Dir = filepath.Join(toolsSource, "envoygateway")
	list.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("find the sources of Envoy Gateway: %w", err)
	}
	definitions := filepath.Join(strings.TrimSpace(string(out)), "charts", "gateway-helm", "charts", "crds", "crds")
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{
		Paths:              []string{filepath.Join(definitions, "gatewayapi-crds.yaml"), filepath.Join(definitions, "generated")},
		ErrorIfPathMissing: true,
	})
	if err != nil {
		return fmt.Errorf("install the resources of Envoy Gateway: %w", err)
	}
	return nil
}
