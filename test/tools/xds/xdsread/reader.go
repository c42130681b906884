// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// The types of resources, in the order in which a proxy asks for them.
const (
	prefix       = "type.googleapis.com/envoy.config."
	clusterType  = prefix + "cluster.v3.Cluster"
	endpointType = prefix + "endpoint.v3.ClusterLoadAssignment"
	listenerType = prefix + "listener.v3.Listener"
	routeType    = prefix + "route.v3.RouteConfiguration"
)

// maxMessage bounds one answer; a large mesh sends some megabytes.
const maxMessage = 64 << 20

// everything is what a proxy is sent.
type everything struct {
	Clusters  []json.RawMessage `json:"clusters"`
	Endpoints []json.RawMessage `json:"endpoints"`
	Listeners []json.RawMessage `json:"listeners"`
	Routes    []json.RawMessage `json:"routes"`
}

// reader is one proxy's stream.
type reader struct {
	conn   *grpc.ClientConn
	stream discovery.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	node   *core.Node
}

func dial(ctx context.Context, address, node string, who identity) (*reader, error) {
	n := &core.Node{}
	if err := protojson.Unmarshal([]byte(node), n); err != nil {
		return nil, fmt.Errorf("read the node: %w", err)
	}
	trust, err := who.credentials()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(trust),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", address, err)
	}
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open a stream to %s: %w", address, err)
	}
	return &reader{conn, stream, n}, nil
}

func (r *reader) close() { r.conn.Close() }

// ask requests resources of one type, all where names is nil, and acknowledges
// the answer. Answers of other types are pushes, which the next read sees.
func (r *reader) ask(url string, names []string) ([]*anypb.Any, error) {
	if err := r.stream.Send(&discovery.DiscoveryRequest{Node: r.node, TypeUrl: url, ResourceNames: names}); err != nil {
		return nil, fmt.Errorf("ask for %s: %w", url, err)
	}
	for {
		answer, err := r.stream.Recv()
		if err != nil {
			return nil, fmt.Errorf("receive %s: %w", url, err)
		}
		err = r.stream.Send(&discovery.DiscoveryRequest{Node: r.node, TypeUrl: answer.TypeUrl, ResourceNames: names,
			VersionInfo: answer.VersionInfo, ResponseNonce: answer.Nonce})
		if err != nil {
			return nil, fmt.Errorf("acknowledge %s: %w", url, err)
		}
		if answer.TypeUrl == url {
			return answer.Resources, nil
		}
	}
}

func (r *reader) readAll() (everything, error) {
	var out everything
	clusters, err := r.ask(clusterType, nil)
	if err != nil {
		return out, err
	}
	endpointNames, err := wantedEndpoints(clusters)
	if err != nil {
		return out, err
	}
	endpoints, err := r.askNamed(endpointType, endpointNames)
	if err != nil {
		return out, err
	}
	listeners, err := r.ask(listenerType, nil)
	if err != nil {
		return out, err
	}
	routeNames, err := wantedRoutes(listeners)
	if err != nil {
		return out, err
	}
	routes, err := r.askNamed(routeType, routeNames)
	if err != nil {
		return out, err
	}
	for _, part := range []struct {
		to   *[]json.RawMessage
		from []*anypb.Any
	}{{&out.Clusters, clusters}, {&out.Endpoints, endpoints}, {&out.Listeners, listeners}, {&out.Routes, routes}} {
		if *part.to, err = plain(part.from); err != nil {
			return out, err
		}
	}
	return out, nil
}

// askNamed asks for nothing where there is no name: an empty list would mean
// all.
func (r *reader) askNamed(url string, names []string) ([]*anypb.Any, error) {
	if len(names) == 0 {
		return nil, nil
	}
	return r.ask(url, names)
}

func wantedEndpoints(clusters []*anypb.Any) ([]string, error) {
	var out []string
	for _, a := range clusters {
		c := &cluster.Cluster{}
		if err := a.UnmarshalTo(c); err != nil {
			return nil, fmt.Errorf("read a cluster: %w", err)
		}
		if c.GetType() == cluster.Cluster_EDS {
			name := c.GetEdsClusterConfig().GetServiceName()
			if name == "" {
				name = c.Name
			}
			out = append(out, name)
		}
	}
	return out, nil
}

func wantedRoutes(listeners []*anypb.Any) ([]string, error) {
	var out []string
	for _, a := range listeners {
		l := &listener.Listener{}
		if err := a.UnmarshalTo(l); err != nil {
			return nil, fmt.Errorf("read a listener: %w", err)
		}
		for _, chain := range append(slices.Clone(l.FilterChains), l.DefaultFilterChain) {
			for _, f := range chain.GetFilters() {
				manager := &hcm.HttpConnectionManager{}
				if !f.GetTypedConfig().MessageIs(manager) {
					continue
				}
				if err := f.GetTypedConfig().UnmarshalTo(manager); err != nil {
					return nil, fmt.Errorf("read a filter: %w", err)
				}
				if name := manager.GetRds().GetRouteConfigName(); name != "" {
					out = append(out, name)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
