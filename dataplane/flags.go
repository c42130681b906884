// SPDX-License-Identifier: Apache-2.0

package dataplane

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
)

// deviceCommand is the hidden command that the agent starts for an interface.
const deviceCommand = "wireguard-device"

// DefaultStateDir is where the agent keeps what must survive it.
const DefaultStateDir = "/var/lib/fairlead"

// options are what was asked for on the command line.
type options struct {
	node       string
	kubeconfig string
	config     string
	stateDir   string
	addresses  []netip.Addr
	once       bool
	cleanup    bool
	version    bool
	// device is set for the hidden command alone.
	device *device
}

// device is the interface of a device process.
type device struct{ name, alias string }

// errHelp says that help was asked for and given.
var errHelp = flag.ErrHelp

const usage = `fairlead-agent makes one node's kernel match its cluster's Dataplane and
ServiceRoutes: tunnels to other clusters, routes, and clusterset IPs.

Usage:
  fairlead-agent --node NAME [--kubeconfig FILE | --config DIR] [flags]
  fairlead-agent --cleanup [--state-dir DIR]
  fairlead-agent version

Its end changes nothing in the kernel; --cleanup removes what it made.
Needs root, and the program nft. Exit code 0, or 2 on an error.

Flags:
`

// parse reads the command line. Help goes to out.
func parse(args []string, out io.Writer) (options, error) {
	var o options
	if len(args) > 0 {
		switch args[0] {
		case "version":
			o.version = true
			return o, nil
		case deviceCommand:
			if len(args) != 3 {
				return o, fmt.Errorf("%s takes the name and the alias of an interface", deviceCommand)
			}
			o.device = &device{name: args[1], alias: args[2]}
			return o, nil
		}
	}
	flags := flag.NewFlagSet("fairlead-agent", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.node, "node", "", "`name` of the node, as its Node object has it")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` that says how to reach the API server; without it the Pod's service account")
	flags.StringVar(&o.config, "config", "", "`directory` of YAML files to read instead of the API server; read again when they change")
	flags.StringVar(&o.stateDir, "state-dir", DefaultStateDir, "`directory` for the private key and what must survive a restart; one per node")
	flags.Func("address", "`address` of the node on its underlay, instead of the Node object's; may be repeated, best first", o.addAddress)
	flags.BoolVar(&o.once, "once", false, "make the kernel match, announce it and end; exit code 2 if it could not")
	flags.BoolVar(&o.cleanup, "cleanup", false, "remove everything that the agent made from the kernel, put back sysctls, and end")
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage)
		flags.SetOutput(out)
		flags.PrintDefaults()
		return o, errHelp
	}
	if err == nil {
		err = o.check(flags.Args())
	}
	if err != nil {
		return o, fmt.Errorf("%w; see fairlead-agent --help", err)
	}
	return o, nil
}

// addAddress adds an address of the node.
func (o *options) addAddress(s string) error {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return fmt.Errorf("%q is not an address", s)
	}
	o.addresses = append(o.addresses, a)
	return nil
}

// check finds what does not go together.
func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.stateDir == "":
		return errors.New("--state-dir must not be empty")
	case o.cleanup && (o.once || o.config != "" || o.kubeconfig != ""):
		return errors.New("--cleanup reads nothing: leave --once, --config and --kubeconfig out")
	case !o.cleanup && o.node == "":
		return errors.New("--node is missing")
	case o.config != "" && o.kubeconfig != "":
		return errors.New("--config and --kubeconfig exclude each other")
	}
	return nil
}
