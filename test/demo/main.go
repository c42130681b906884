// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/lab"
	"github.com/fairlead/fairlead/test/sandbox"
	"github.com/fairlead/fairlead/test/world"
)

func main() {
	lab.Boot()
	sandbox.Enter()
	os.Exit(run())
}

// run tells the story and removes everything.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := world.Root()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	s := &story{out: os.Stdout, bin: filepath.Join(root, "bin"), begin: time.Now()}
	err = s.run(ctx)
	if err == nil {
		s.summary()
		if os.Getenv("KEEP") != "" {
			s.keep(ctx)
		}
	}
	if s.world != nil {
		if closing := s.world.Close(); closing != nil && err == nil {
			err = closing
		}
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
	s.say("left running until Ctrl-C. In another terminal, as root:")
	enter := fmt.Sprintf("nsenter -t $(pgrep -n -f 'demo$') -m -n -p")
	s.quote(enter + " bash\n" +
		"export KUBECONFIG=" + s.world.Lab.Kubeconfig() + "\n" +
		"cd " + s.world.Work.Dir + "    # edit, then: git commit -a && git push origin HEAD:main\n" +
		"bin/fairlead reconcile --repo " + s.world.RepositoryURL() + " --dry-run\n")
	<-ctx.Done()
}
