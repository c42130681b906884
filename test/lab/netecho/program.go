// SPDX-License-Identifier: Apache-2.0

package netecho

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Name is the program's file name.
const Name = "netecho"

const (
	codeFailures = 1 // something was not answered
	codeUsage    = 2
)

// Boot turns this process into netecho when it was started under that name, and
// then does not return. Otherwise it does nothing.
func Boot() {
	if filepath.Base(os.Args[0]) == Name {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
}

// Run is the program. It returns 0, 1 when something was not answered, or 2 for
// a wrong use.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) (int, error){
		"serve": runServe, "call": runCall, "stream": runStream,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(stderr, "usage: netecho serve | call | stream [flags]")
		return codeUsage
	}
	code, err := commands[args[0]](ctx, args[1:], stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "netecho %s: %v\n", args[0], err)
	}
	return code
}

// parse reads flags and refuses what is left over.
func parse(f *flag.FlagSet, args []string, stderr io.Writer) error {
	f.SetOutput(stderr)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return nil
}

func runServe(ctx context.Context, args []string, _, stderr io.Writer) (int, error) {
	f := flag.NewFlagSet("netecho serve", flag.ContinueOnError)
	tcp := f.String("tcp", "", "`address` to answer connections on, such as :6379")
	udp := f.String("udp", "", "`address` to answer datagrams on")
	if err := parse(f, args, stderr); err != nil {
		return codeUsage, err
	}
	if *tcp == "" && *udp == "" {
		return codeUsage, errors.New("nothing to do: give --tcp, --udp or both")
	}
	id := FromEnvironment()
	ended := make(chan error, 2)
	if *tcp != "" {
		l, err := net.Listen("tcp", *tcp)
		if err != nil {
			return codeUsage, err
		}
		defer l.Close()
		go func() { ended <- id.ServeStream(l) }()
	}
	if *udp != "" {
		c, err := net.ListenPacket("udp", *udp)
		if err != nil {
			return codeUsage, err
		}
		defer c.Close()
		go func() { ended <- id.ServePackets(c) }()
	}
	select {
	case err := <-ended:
		return codeFailures, err
	case <-ctx.Done():
		return 0, nil
	}
}

func runCall(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	f := flag.NewFlagSet("netecho call", flag.ContinueOnError)
	address := f.String("address", "", "`address:port` to connect to")
	count := f.Int("count", 1, "number of connections")
	timeout := f.Duration("timeout", 2*time.Second, "patience per connection")
	if err := parse(f, args, stderr); err != nil {
		return codeUsage, err
	}
	if *address == "" || *count < 1 || *timeout <= 0 {
		return codeUsage, errors.New("needs --address, and --count and --timeout above zero")
	}
	t := Call(ctx, (&net.Dialer{}).DialContext, *address, *count, *timeout)
	fmt.Fprint(stdout, t)
	if len(t.Failures) > 0 {
		return codeFailures, nil
	}
	return 0, nil
}

func runStream(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	f := flag.NewFlagSet("netecho stream", flag.ContinueOnError)
	address := f.String("address", "", "`address:port` to send to")
	interval := f.Duration("interval", 10*time.Millisecond, "time between two datagrams")
	count := f.Int("count", 0, "number of datagrams, 0 for as many until interrupted")
	if err := parse(f, args, stderr); err != nil {
		return codeUsage, err
	}
	if *address == "" || *count < 0 || *interval <= 0 {
		return codeUsage, errors.New("needs --address, --interval above zero and no negative --count")
	}
	loss, err := Stream(ctx, (&net.Dialer{}).DialContext, *address, *interval, *count)
	if err != nil {
		return codeFailures, err
	}
	fmt.Fprintln(stdout, loss)
	if loss.Lost() > 0 {
		return codeFailures, nil
	}
	return 0, nil
}
