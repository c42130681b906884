// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	// What the tests look into; anything else prints as its type alone.
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// plain turns resources into JSON.
func plain(resources []*anypb.Any) ([]json.RawMessage, error) {
	out := []json.RawMessage{}
	for _, a := range resources {
		message, err := a.UnmarshalNew()
		if err != nil {
			return nil, fmt.Errorf("read a %s: %w", a.TypeUrl, err)
		}
		text, err := protojson.MarshalOptions{Resolver: lenient{protoregistry.GlobalTypes}}.Marshal(message)
		if err != nil {
			return nil, fmt.Errorf("print a %s: %w", a.TypeUrl, err)
		}
		out = append(out, text)
	}
	return out, nil
}

// lenient knows every type; what is in no registry is empty.
type lenient struct{ *protoregistry.Types }

func (l lenient) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if found, err := l.Types.FindMessageByURL(url); err == nil {
		return found, nil
	}
	return (&emptypb.Empty{}).ProtoReflect().Type(), nil
}
