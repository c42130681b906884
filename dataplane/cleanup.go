// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/dataplane/internal/desired"
)

// cleanUp removes everything that is ours from the kernel, and from the state
// directory all but the private key: other clusters know its public half, and a
// node that comes back is the same one.
func cleanUp(ctx context.Context, o options, log *slog.Logger) error {
	if _, err := os.Stat(o.stateDir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no state directory %s: name the agent's with --state-dir", o.stateDir)
	}
	e, _, release, err := openEngine(o)
	if err != nil {
		return err
	}
	defer release()
	done, err := e.CleanUp(ctx)
	for _, x := range done {
		log.Info("cleaned up", "op", x.String())
	}
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(o.stateDir, desired.NamePrefix+"*.log"))
	for _, name := range append(files, filepath.Join(o.stateDir, nodeStateName), filepath.Join(o.stateDir, lockName)) {
		if rmErr := os.Remove(name); !errors.Is(rmErr, fs.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	return err
}
