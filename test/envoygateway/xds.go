// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// readTimeout bounds one reading of a configuration; it takes about 0.1 s.
const readTimeout = 20 * time.Second

// Settled waits until the configuration of a Gateway's proxies is as wanted, and
// returns it. The test fails with the last complaint when that never is so.
func (s *Server) Settled(t testing.TB, namespace, gateway string, wanted func(Configuration) error) Configuration {
	t.Helper()
	var c Configuration
	s.eventually(t, func() error {
		var err error
		if c, err = s.read(namespace, gateway); err != nil {
			return err
		}
		return wanted(c)
	})
	return c
}

// read asks for everything as one of the Gateway's proxies: the cluster of its
// node is how Envoy Gateway knows whose it is.
func (s *Server) read(namespace, gateway string) (Configuration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.tools.Path("xdsread"), "--address", "127.0.0.1:18000", "--timeout", readTimeout.String(),
		"--certificates", filepath.Join(s.dir, "keys", "envoy"), "--server-name", "envoy-gateway",
		"--node", fmt.Sprintf(`{"id": "test", "cluster": "%s/%s"}`, namespace, gateway))
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return Configuration{}, fmt.Errorf("read the configuration of %s/%s: %w: %s", namespace, gateway, err, exit.Stderr)
	}
	if err != nil {
		return Configuration{}, err
	}
	var raw struct {
		Clusters  []json.RawMessage `json:"clusters"`
		Endpoints []json.RawMessage `json:"endpoints"`
		Listeners []json.RawMessage `json:"listeners"`
		Routes    []json.RawMessage `json:"routes"`
	}
	if err := json.Unmarshal(out, &raw); err != nil {
		return Configuration{}, fmt.Errorf("read the configuration of %s/%s: %w", namespace, gateway, err)
	}
	return parse(raw.Clusters, raw.Endpoints, raw.Listeners, raw.Routes)
}
