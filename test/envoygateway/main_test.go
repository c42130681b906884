// SPDX-License-Identifier: Apache-2.0

package envoygateway

import (
	"testing"

	"github.com/fairlead/fairlead/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }
