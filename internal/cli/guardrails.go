// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/fairlead/fairlead/reconciler"
)

// guardrailChildCommand is not for people: the program starts itself with it
// for each guardrail.
func guardrailChildCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:    reconciler.GuardrailChild,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return reconciler.EvaluateGuardrail(os.Stdin, s.Out) },
	}
}
