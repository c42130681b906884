// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/fairlead/fairlead/dataplane/internal/engine"
	"github.com/fairlead/fairlead/dataplane/internal/keys"
	"github.com/fairlead/fairlead/dataplane/internal/link"
	"github.com/fairlead/fairlead/dataplane/internal/source"
	"github.com/fairlead/fairlead/dataplane/internal/wireguard"
)

// Exit codes.
const (
	codeOK    = 0
	codeError = 2
)

// Streams are where the program writes. Data goes to Out, all else to Err.
type Streams struct {
	Out io.Writer
	// Err is a file because a device process hands it on.
	Err *os.File
}

// Main runs the program with the process's streams until it ends or is told to
// by SIGINT or SIGTERM, and returns its exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return Run(ctx, Streams{Out: os.Stdout, Err: os.Stderr}, args)
}

// Run runs the program and returns its exit code: 0, or 2 with a message on
// Err. The end of the context is no error.
func Run(ctx context.Context, s Streams, args []string) int {
	var err error
	switch o, parseErr := parse(args, s.Err); {
	case errors.Is(parseErr, errHelp):
		return codeOK
	case parseErr != nil:
		err = parseErr
	case o.version:
		fmt.Fprintln(s.Out, "fairlead-agent", version())
	case o.device != nil:
		err = runDevice(ctx, *o.device, s.Err)
	case o.cleanup:
		err = cleanUp(ctx, o, logger(s.Err))
	default:
		err = runAgent(ctx, o, logger(s.Err))
	}
	if err != nil {
		fmt.Fprintln(s.Err, "fairlead-agent:", err)
		return codeError
	}
	return codeOK
}

// logger writes one line per change.
func logger(to io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, nil))
}

// version is what was built: the module's version, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}

// runDevice is the device process of one interface.
func runDevice(ctx context.Context, d device, log *os.File) error {
	mark := func() error { return link.SetAlias(d.name, d.alias) }
	return wireguard.RunDevice(ctx, d.name, mark, log)
}

// deviceProgram is how this program is started as a device process.
func deviceProgram() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return []string{self, deviceCommand}, nil
}

// openEngine makes ready to change the kernel. The returned function lets go.
func openEngine(o options) (*engine.Engine, keys.Private, func(), error) {
	key, err := keys.Load(o.stateDir)
	if err != nil {
		return nil, key, nil, err
	}
	unlock, err := lock(filepath.Join(o.stateDir, lockName))
	if err != nil {
		return nil, key, nil, err
	}
	self, err := deviceProgram()
	if err != nil {
		unlock()
		return nil, key, nil, err
	}
	e, err := engine.Open(engine.Options{Key: key, StateDir: o.stateDir, DeviceCommand: self})
	if err != nil {
		unlock()
		return nil, key, nil, err
	}
	return e, key, func() { e.Close(); unlock() }, nil
}

// runAgent runs the agent until the context ends.
func runAgent(ctx context.Context, o options, log *slog.Logger) error {
	src, err := openSource(o, log)
	if err != nil {
		return err
	}
	e, key, release, err := openEngine(o)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); src.Run(ctx) }()
	defer func() { cancel(); <-done }()
	a := &agent{o: o, log: log, source: src, engine: e, publicKey: key.Public()}
	return a.run(ctx)
}

// openSource finds where to read from.
func openSource(o options, log *slog.Logger) (source.Source, error) {
	if o.config != "" {
		d := source.NewDir(o.config, filepath.Join(o.stateDir, nodeStateName))
		return d, d.Load()
	}
	// The client library logs of its own; its warnings are in ours already.
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	return source.NewCluster(config, o.node, log)
}

// restConfig reads a kubeconfig, or where none is named, the service account of
// the Pod.
func restConfig(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("read the Pod's service account: %w; outside a cluster use --kubeconfig or --config", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return config, nil
}
