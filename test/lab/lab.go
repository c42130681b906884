// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fairlead/fairlead/test/lab/controlplane"
	"github.com/fairlead/fairlead/test/lab/netecho"
	"github.com/fairlead/fairlead/test/lab/underlay"
	"github.com/fairlead/fairlead/test/netns"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/tools"
)

// Boot must be called first thing in the main of a program that starts labs: it
// lets the program also be the sandbox's init and the pods' netecho.
func Boot() {
	netecho.Boot()
	sandbox.Boot()
}

// Main is the body of TestMain of a package that starts labs. It does not
// return.
func Main(m *testing.M) {
	netecho.Boot()
	sandbox.Main(m)
}

// Lab is a running lab. Its methods may be called concurrently.
type Lab struct {
	config   Config
	dir      string
	temp     bool
	begin    time.Time
	log      io.Writer
	logFile  *os.File
	underlay *underlay.Underlay
	clusters []*Cluster

	progressMu sync.Mutex
	closing    sync.Once
}

// Start brings a lab up and returns when every node of every cluster serves.
// After an error nothing is left. The lab does not end with ctx, only its start
// does.
func Start(ctx context.Context, config Config) (*Lab, error) {
	l := &Lab{begin: time.Now()}
	if err := l.start(ctx, config); err != nil {
		return nil, fmt.Errorf("start the lab: %w", errors.Join(err, l.Close()))
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context, config Config) (err error) {
	if !sandbox.Inside() {
		return errors.New("it runs only in a sandbox: call sandbox.Run or lab.Main (as root)")
	}
	if l.config, err = config.complete(); err != nil {
		return err
	}
	if l.config.Tools == (tools.Store{}) {
		if l.config.Tools, err = tools.Find("."); err != nil {
			return err
		}
	}
	if err := l.config.Tools.Require(); err != nil {
		return err
	}
	if err := l.makeDir(); err != nil {
		return err
	}
	if l.underlay, err = underlay.New("underlay"); err != nil {
		return err
	}
	for i, c := range l.config.Clusters {
		l.clusters = append(l.clusters, newCluster(l, i, c))
	}
	var group *errgroup.Group
	group, ctx = errgroup.WithContext(ctx)
	for _, c := range l.clusters {
		group.Go(func() error { return c.start(ctx) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return l.writeKubeconfig()
}

// makeDir makes the lab's directory with its log and the pods' programs.
func (l *Lab) makeDir() (err error) {
	l.dir = l.config.Dir
	if l.dir == "" {
		if l.dir, err = os.MkdirTemp("", "lab"); err != nil {
			return err
		}
		l.temp = true
	}
	if err := os.MkdirAll(l.bin(), 0o755); err != nil {
		return err
	}
	if l.logFile, err = os.OpenFile(filepath.Join(l.dir, "lab.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return err
	}
	l.log = l.logFile
	self, err := os.Executable()
	if err != nil {
		return err
	}
	link := filepath.Join(l.bin(), netecho.Name)
	if err := os.Symlink(self, link); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// writeKubeconfig writes the file with a context per cluster.
func (l *Lab) writeKubeconfig() error {
	accesses := map[string]*rest.Config{}
	for _, c := range l.clusters {
		accesses[c.Name] = c.RESTConfig()
	}
	if err := clientcmd.WriteToFile(controlplane.Kubeconfig(accesses), l.Kubeconfig()); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	return nil
}

// Close ends everything of the lab and waits for it. Closing twice does nothing.
func (l *Lab) Close() error {
	var err error
	l.closing.Do(func() { err = l.close() })
	return err
}

// close removes what there is, which after a failed start is not everything.
func (l *Lab) close() error {
	var errs []error
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, c := range l.clusters {
		group.Go(func() {
			err := c.close()
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	group.Wait()
	if l.underlay != nil {
		errs = append(errs, l.underlay.Close())
	}
	if l.logFile != nil {
		errs = append(errs, l.logFile.Close())
	}
	if l.temp {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}

// Clusters are the clusters as configured.
func (l *Lab) Clusters() []*Cluster { return slices.Clone(l.clusters) }

// Cluster is the cluster of that name, nil when there is none.
func (l *Lab) Cluster(name string) *Cluster {
	for _, c := range l.clusters {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Underlay is the network between the nodes; they go by their FullName there.
func (l *Lab) Underlay() *underlay.Underlay { return l.underlay }

// Dir holds data and logs.
func (l *Lab) Dir() string { return l.dir }

// Kubeconfig is the path of the file with an administrator's context per
// cluster.
func (l *Lab) Kubeconfig() string { return filepath.Join(l.dir, "kubeconfig") }

// bin holds the pods' own programs.
func (l *Lab) bin() string { return filepath.Join(l.dir, "bin") }

// setPath puts the pods' own programs first in a command's PATH, for finding
// the command itself too.
func (l *Lab) setPath(cmd *netns.Cmd) {
	path := l.bin() + ":" + os.Getenv("PATH")
	cmd.Env = append(os.Environ(), "PATH="+path)
	if cmd.Args[0] == netecho.Name {
		cmd.Path, cmd.Err = filepath.Join(l.bin(), netecho.Name), nil
	}
}

// progress reports a step.
func (l *Lab) progress(format string, args ...any) {
	if l.config.Progress == nil {
		return
	}
	l.progressMu.Lock()
	defer l.progressMu.Unlock()
	fmt.Fprintf(l.config.Progress, "%5.1f s  %s\n", time.Since(l.begin).Seconds(), fmt.Sprintf(format, args...))
}
