// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// All backends of a rule are spoken to in one version of HTTP: in the second
// where any of their Services says so, and never where one says WebSockets.
func TestOneVersionOfHTTP(t *testing.T) {
	s := byHandIn(t, "versions")
	for _, step := range []struct {
		one, two string
		second   bool
	}{
		{"", "", false},
		{"", "kubernetes.io/h2c", true},
		{"http2", "example.com/own", false},
		{"grpc", "", true},
		{"kubernetes.io/ws", "kubernetes.io/h2c", false},
	} {
		for i, says := range []string{step.one, step.two} {
			s.ApplyYAML(t, fmt.Sprintf(`apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: %s, namespace: versions}
spec: {type: ClusterSetIP, ips: [243.0.0.%d], ports: [{name: http, port: 3000, protocol: TCP%s}]}
`, []string{"one", "two"}[i], i+1, appProtocol(says)))
		}
		s.Settled(t, "versions", "web", func(c Configuration) error {
			routes, err := only(c)
			if err != nil {
				return err
			}
			text, err := json.Marshal(c.Clusters[routes[0].Targets[0].Cluster].Raw)
			if second := strings.Contains(string(text), `"explicitHttpConfig":{"http2ProtocolOptions"`); err != nil || second != step.second {
				return fmt.Errorf("%+v: %s (%v)", step, text, err)
			}
			return nil
		})
	}
}

func appProtocol(says string) string {
	if says == "" {
		return ""
	}
	return ", appProtocol: " + says
}
