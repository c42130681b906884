// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/lab"
)

const (
	// labDir is the lab's directory inside its sandbox, on a tmpfs.
	labDir = "/run/lab"
	// pipeFile and firstListener are the inherited descriptors.
	pipeFile, firstListener = 3, 4
)

// runInside runs the lab until a signal.
func runInside(args []string, stdout, stderr io.Writer) (int, error) {
	s, err := parseShape(args, stderr)
	if err != nil {
		return codeUsage, err
	}
	var pid int
	pipe := os.NewFile(pipeFile, "pipe")
	if _, err := fmt.Fscan(pipe, &pid); err != nil {
		return codeFailed, fmt.Errorf("learn the sandbox's process id: %w", err)
	}
	pipe.Close()
	config, err := s.config(stderr)
	if err != nil {
		return codeFailed, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begin := time.Now()
	l, err := lab.Start(ctx, config)
	if ctx.Err() != nil {
		return codeFailed, fmt.Errorf("interrupted; everything is removed")
	}
	if err != nil {
		return codeFailed, err
	}
	describe(stdout, l, pid, time.Since(begin))
	<-ctx.Done()
	if err := l.Close(); err != nil {
		return codeFailed, err
	}
	fmt.Fprintln(stderr, "lab: everything is removed")
	return 0, nil
}

// config is the lab of that shape, with the inherited listeners.
func (s shape) config(progress io.Writer) (lab.Config, error) {
	config := lab.Config{Dir: labDir, Progress: progress}
	for i := range s.clusters {
		f := os.NewFile(uintptr(firstListener+i), "listener")
		l, err := net.FileListener(f)
		f.Close() // the listener has its own descriptor
		if err != nil {
			return lab.Config{}, fmt.Errorf("take the listener over: %w", err)
		}
		c := lab.ClusterConfig{Name: fmt.Sprintf("cluster%d", i+1), Nodes: lab.Nodes(s.nodes), Outside: l}
		if s.overlap {
			c.PodCIDRs = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
			c.ServiceCIDRs = []netip.Prefix{netip.MustParsePrefix("10.101.0.0/16")}
		}
		config.Clusters = append(config.Clusters, c)
	}
	return config, nil
}

// describe prints what there is and what to try.
func describe(w io.Writer, l *lab.Lab, pid int, took time.Duration) {
	fmt.Fprintf(w, "\nlab %d is ready after %.1f s\n\n", pid, took.Seconds())
	for _, c := range l.Clusters() {
		fmt.Fprintf(w, "  %s  pods %s  services %s\n", c.Name, c.PodCIDRs[0], c.ServiceCIDRs[0])
		for _, n := range c.Nodes() {
			fmt.Fprintf(w, "    %s/%s  %s  pods %s\n", c.Name, n.Name, n.Address, n.PodCIDR)
		}
	}
	first := l.Clusters()[0]
	fmt.Fprintf(w, `
Try, in another terminal:
  export KUBECONFIG=/proc/%d/root%s
  kubectl --context %s get nodes
  go run ./test/lab/cmd/lab exec %s/%s -- ip route
  ls /proc/%d/root%s        (logs, and etcd's data)

Ctrl-C removes everything.
`, pid, l.Kubeconfig(), first.Name, first.Name, first.Nodes()[0].Name, pid, l.Dir())
}
