// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package istio keeps Istio's control plane in this module's requirements.
package istio

import _ "istio.io/istio/pilot/cmd/pilot-discovery"
