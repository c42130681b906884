// SPDX-License-Identifier: Apache-2.0

// Package v3 has the one type that Istio's own code names; the tests have no
// MySQL ports.
package v3

import "google.golang.org/protobuf/types/known/emptypb"

// MySQLProxy is never sent.
type MySQLProxy struct {
	emptypb.Empty
	StatPrefix string
}
