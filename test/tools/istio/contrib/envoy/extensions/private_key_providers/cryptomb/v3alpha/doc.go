// SPDX-License-Identifier: Apache-2.0

// Package v3 has the one type that Istio's own code names; the tests have no
// such hardware.
package v3

import (
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// CryptoMbPrivateKeyMethodConfig is never sent.
type CryptoMbPrivateKeyMethodConfig struct {
	emptypb.Empty
	PollDelay  *durationpb.Duration
	PrivateKey *core.DataSource
}
