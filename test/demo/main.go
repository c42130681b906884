// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/world"
)

func main() {
	lab.Boot()
	if !sandbox.Inside() {
		os.Exit(outside())
	}
	os.Exit(inside())
}

// pipeVariable names the descriptor from which the sandbox learns its own
// process id on the machine: what a second terminal needs to enter it.
const pipeVariable = "FAIRLEAD_DEMO_PIPE"

// outside runs this program in a sandbox.
func outside() int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "demo: it makes network namespaces, so run it as root: sudo make demo")
		return 2
	}
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	return sandbox.Run(sandbox.Options{
		Files:   []*os.File{r},
		Env:     []string{pipeVariable + "=3"},
		Started: func(pid int) { fmt.Fprintln(w, pid); w.Close() },
	})
}

// inside tells the story and removes everything.
func inside() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := world.Root()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	s := &story{out: os.Stdout, begin: time.Now(),
		bin: cmp.Or(os.Getenv(world.BinVariable), filepath.Join(root, "bin"))}
	err = s.run(ctx)
	if err == nil {
		s.summary()
		if os.Getenv("KEEP") != "" {
			s.keep(ctx)
		}
	}
	if s.world != nil {
		err = cmp.Or(err, s.world.Close())
		s.say("everything is removed")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	return 0
}

// keep says what to try and waits for an interrupt.
func (s *story) keep(ctx context.Context) {
	var pid int
	if fd, err := strconv.Atoi(os.Getenv(pipeVariable)); err == nil {
		pipe := os.NewFile(uintptr(fd), "pipe")
		_, _ = fmt.Fscan(pipe, &pid) // zero where nobody told: then we run in somebody else's sandbox
		pipe.Close()
	}
	s.say("left running until Ctrl-C. In another terminal, as root:")
	s.quote(fmt.Sprintf(`nsenter -t %d -m -n -p -- bash
cd %s
vi frontend.yaml && git commit -am edit && git push origin HEAD:main
%s reconcile --repo %s --ref main --kubeconfig %s --dry-run
ip netns exec %s nft list table ip fairlead
`, pid, s.world.Work.Dir, filepath.Join(s.bin, "fairlead"), s.world.RepositoryURL(), s.world.Lab.Kubeconfig(),
		s.world.Lab.Clusters()[0].Nodes()[0].FullName()))
	<-ctx.Done()
}
