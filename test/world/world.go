// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/test/gitserver"
	"github.com/fairlead/fairlead/test/lab"
)

// The guestbook scenario's clusters.
const (
	Local   = "local-cluster"
	Managed = "managed-cluster"
)

// repository is the name of the repository of policies.
const repository = "policies.git"

// Config of a World.
type Config struct {
	// Bin is the directory with fairlead and fairlead-agent.
	Bin string
	// Nodes of each cluster; the first is the gateway. Zero: one.
	Nodes int
	// Progress gets a line per step of the lab. nil: nobody.
	Progress io.Writer
}

// World is a running world: the clusters of the guestbook scenario with its
// workloads, and a repository that is still empty.
type World struct {
	// Lab has the clusters Local and Managed.
	Lab *lab.Lab
	// Git serves the repository.
	Git *gitserver.Server
	// Work is a clone of the repository to push from.
	Work *gitserver.Clone

	root, bin, dir string
	agents         map[string]*Agent
}

// Start brings up the clusters, their custom resource definitions and
// workloads, and the git server. After an error nothing is left.
func Start(ctx context.Context, config Config) (*World, error) {
	w := &World{bin: config.Bin, agents: map[string]*Agent{}}
	if err := w.start(ctx, config); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start(ctx context.Context, config Config) (err error) {
	if w.root, err = Root(); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "fairlead-world"); err != nil {
		return err
	}
	if w.Lab, err = lab.Start(ctx, labConfig(config)); err != nil {
		return err
	}
	if err := w.startGit(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range w.Lab.Clusters() {
		group.Go(func() error { return w.install(ctx, c) })
	}
	return group.Wait()
}

// labConfig describes the guestbook's clusters.
func labConfig(config Config) lab.Config {
	cluster := func(name, pods, services string) lab.ClusterConfig {
		nodes := lab.Nodes(max(1, config.Nodes))
		for i := range nodes {
			nodes[i].Name = NodeName(name, i)
		}
		return lab.ClusterConfig{Name: name, Nodes: nodes,
			PodCIDRs:     []netip.Prefix{netip.MustParsePrefix(pods)},
			ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix(services)}}
	}
	return lab.Config{Progress: config.Progress, Clusters: []lab.ClusterConfig{
		cluster(Local, "10.128.0.0/14", "172.30.0.0/16"),
		cluster(Managed, "10.132.0.0/14", "172.31.0.0/16"),
	}}
}

// NodeName is the name of a cluster's node, counted from 0.
func NodeName(cluster string, i int) string { return fmt.Sprintf("%s-node-%d", cluster, i+1) }

// startGit serves an empty repository.
func (w *World) startGit() (err error) {
	served := filepath.Join(w.dir, "git")
	if err := os.Mkdir(served, 0o755); err != nil {
		return err
	}
	if w.Git, err = gitserver.Start(served, gitserver.Options{}); err != nil {
		return err
	}
	if err := w.Git.Create(repository); err != nil {
		return err
	}
	w.Work, err = gitserver.NewClone(filepath.Join(w.dir, "work"), w.RepositoryURL())
	return err
}

// RepositoryURL is where the repository is read from and pushed to.
func (w *World) RepositoryURL() string { return w.Git.URL(repository) }

// ServedDir is the directory that the git server serves.
func (w *World) ServedDir() string { return filepath.Join(w.dir, "git") }

// install applies definitions, roles and workloads to one cluster.
func (w *World) install(ctx context.Context, c *lab.Cluster) error {
	files, err := filepath.Glob(filepath.Join(w.root, "deploy/crds/*.yaml"))
	if err != nil {
		return err
	}
	files = append(files,
		filepath.Join(w.root, "deploy/agent.yaml"),
		filepath.Join(w.root, "deploy/reconciler.yaml"),
		filepath.Join(w.root, "policies-example/guestbook/workloads", c.Name+".yaml"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := c.Apply(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	_, err = c.WaitPods(ctx, Namespace, "", workloads[c.Name])
	return err
}

// Namespace is the guestbook's; Visitor is the pod in it that calls.
const (
	Namespace = "guestbook"
	Visitor   = "visitor"
)

// workloads is how many pods the scenario has in each cluster.
var workloads = map[string]int{Local: 3, Managed: 3}

// Close ends everything and removes what it left on disk.
func (w *World) Close() error {
	var errs []error
	for _, a := range w.agents {
		errs = append(errs, a.remove())
	}
	if w.Git != nil {
		errs = append(errs, w.Git.Close())
	}
	if w.Lab != nil {
		errs = append(errs, w.Lab.Close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
