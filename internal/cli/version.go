// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version says what program this is.
type version struct {
	// Version of the module; "(devel)" where it was built from a work tree.
	Version string `json:"version"`
	// Commit that it was built from; empty where the build does not know.
	Commit string `json:"commit,omitempty"`
	// Modified: the work tree had changes on top of the commit.
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(s Streams) *cobra.Command {
	var output format
	c := &cobra.Command{
		Use:   "version",
		Short: "Say which fairlead this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := thisVersion()
			return output.write(s.Out, v, func() { fmt.Fprintln(s.Out, v) })
		},
	}
	output.add(c)
	return c
}

// thisVersion reads what the build wrote into the program.
func thisVersion() version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String returns the version as one line.
func (v version) String() string {
	line := "fairlead " + v.Version
	if v.Commit != "" {
		line += " commit " + v.Commit
	}
	if v.Modified {
		line += " (modified)"
	}
	return line + " " + v.Go + " " + v.Platform
}
