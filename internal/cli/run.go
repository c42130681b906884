// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

// Streams are where a command writes.
type Streams struct {
	// Out gets what the command was asked for.
	Out io.Writer
	// Err gets everything else.
	Err io.Writer
}

// The exit codes.
const (
	codeOK = iota
	// codeChanges: a dry run found changes.
	codeChanges
	// codeError: something is wrong, and was said on Err.
	codeError
)

// exit ends a command with a code after it has said everything itself.
type exit int

// Error implements error; nobody reads it.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Run runs one command and returns its exit code. It returns early, after the
// writes in flight, when ctx ends or the process gets SIGINT or SIGTERM; a
// second signal ends the process at once.
func Run(ctx context.Context, s Streams, args []string) (code int) {
	// client-go logs what it also returns as an error.
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(s.Err, "fairlead: internal error: %v (please report this, with the command)\n", oneLine(fmt.Sprint(p)))
			code = codeError
		}
	}()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	err := root(s).withArgs(args).ExecuteContext(ctx)
	var status exit
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(s.Err, "fairlead: %s\n", oneLine(err.Error()))
	return codeError
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// command wraps cobra's so that arguments can be given in passing.
type command struct{ *cobra.Command }

func (c command) withArgs(args []string) *cobra.Command {
	c.SetArgs(args)
	return c.Command
}

// root is the program without a command.
func root(s Streams) command {
	c := &cobra.Command{
		Use:   "fairlead",
		Short: "Guide traffic between Kubernetes clusters from git",
		Long: `Fairlead reads TrafficPolicies and a ClusterSet from git, compiles them to each
cluster's own configuration, shows what changes, and applies it.

Exit codes: 0, 2 when something is wrong, and 1 when a dry run found changes.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.SetOut(s.Out)
	c.SetErr(s.Err)
	c.AddCommand(reconcileCommand(s), vetCommand(s), compileCommand(s), diffCommand(s), explainCommand(s), testCommand(s), guardrailChildCommand(s), inventoryCommand(s), codesCommand(s), schemaCommand(s), traceCommand(s),
		versionCommand(s))
	c.InitDefaultCompletionCmd()
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	return command{c}
}
