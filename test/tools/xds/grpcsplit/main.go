// SPDX-License-Identifier: Apache-2.0

// The grpcsplit program is both ends of a measurement: servers that answer with
// their names, and a proxyless gRPC client that a control plane configures,
// which counts who answered.
//
//	grpcsplit serve NAME=HOST:PORT ...      prints "ready", serves until killed
//	grpcsplit call TARGET N                 prints {"name": answers, "": failures}
//
// The client reads its bootstrap from GRPC_XDS_BOOTSTRAP_CONFIG, as every gRPC
// client does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	_ "google.golang.org/grpc/xds" // the xds: scheme
)

// callTimeout bounds one call, and the wait for the first configuration.
const callTimeout = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "grpcsplit:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 1 && args[0] == "serve":
		return serve(args[1:])
	case len(args) == 3 && args[0] == "call":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return call(args[1], n)
	}
	return fmt.Errorf("usage: grpcsplit serve NAME=HOST:PORT... | call TARGET N")
}

const service, method = "fairlead.test.Name", "Get"

// name is a server that answers with its name.
type name string

func (n name) get(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	return wrapperspb.String(string(n)), nil
}

func serve(specs []string) error {
	failed := make(chan error)
	for _, spec := range specs {
		who, address, _ := strings.Cut(spec, "=")
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := grpc.NewServer()
		server.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil),
			Methods: []grpc.MethodDesc{{MethodName: method, Handler: name(who).get}}}, name(who))
		go func() { failed <- server.Serve(listener) }()
	}
	fmt.Println("ready")
	return <-failed
}

func call(target string, n int) error {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	counts := map[string]int{}
	for range n {
		counts[once(conn)]++
	}
	return json.NewEncoder(os.Stdout).Encode(counts)
}

// once returns who answered one call, nothing where it failed.
func once(conn *grpc.ClientConn) string {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	answer := &wrapperspb.StringValue{}
	if err := conn.Invoke(ctx, "/"+service+"/"+method, &emptypb.Empty{}, answer); err != nil {
		fmt.Fprintln(os.Stderr, "grpcsplit:", err)
		return ""
	}
	return answer.Value
}
