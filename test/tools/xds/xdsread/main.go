// SPDX-License-Identifier: Apache-2.0

// The xdsread program asks a control plane, as one proxy, for everything that
// the proxy would be sent, and prints it as JSON. It is a module of its own so
// that Fairlead's needs none of Envoy's types.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "xdsread:", err)
		os.Exit(1)
	}
}

func run() error {
	address := flag.String("address", "", "host:port of the control plane")
	var who identity
	flag.StringVar(&who.dir, "certificates", "", "directory with ca.crt, tls.crt and tls.key; without it there is no TLS")
	flag.StringVar(&who.serverName, "server-name", "", "name in the control plane's certificate")
	node := flag.String("node", "", "the proxy's node, as JSON (id, cluster, metadata, locality)")
	timeout := flag.Duration("timeout", 10*time.Second, "give up after")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	r, err := dial(ctx, *address, *node, who)
	if err != nil {
		return err
	}
	defer r.close()
	all, err := r.readAll()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
