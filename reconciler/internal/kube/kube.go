// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// The limits of one cluster's client. client-go's own (5 requests a second)
// would make every apply wait for them; the API server's priority and fairness
// protects it better than a client can.
const (
	requestsPerSecond = 100
	requestBurst      = 200
)

// RequestTimeout bounds each single request.
const RequestTimeout = 30 * time.Second

// PageSize is how many objects one list request asks for: what kubectl uses,
// so that no answer grows beyond some megabytes.
const PageSize = 500

// Connect returns the configuration that reaches a context of a kubeconfig. An
// empty path means $KUBECONFIG, then ~/.kube/config; an empty context the
// current one.
func Connect(kubeconfig, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	// Without it a variable that names missing files is reported by klog.
	rules.WarnIfAllMissing = false
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: context})
	config, err := loader.ClientConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			return nil, fmt.Errorf("no kubeconfig: give --kubeconfig or set KUBECONFIG")
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no kubeconfig %s", kubeconfig)
		}
		return nil, err
	}
	return tuned(config), nil
}

// tuned sets what is the same for every cluster.
func tuned(config *rest.Config) *rest.Config {
	config.QPS, config.Burst = requestsPerSecond, requestBurst
	config.Timeout = RequestTimeout
	config.UserAgent = "fairlead"
	config.WarningHandler = rest.NoWarnings{}
	return config
}

// Client reads and writes one API server.
type Client struct {
	Dynamic dynamic.Interface
	// Mapper knows the kinds that the server serves; it asks once.
	Mapper meta.RESTMapper
}

// NewClient makes a client. No request is sent yet.
func NewClient(config *rest.Config) (Client, error) {
	transport, err := guardedClient(config)
	if err != nil {
		return Client{}, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	dyn, err := dynamic.NewForConfigAndClient(config, transport)
	if err != nil {
		return Client{}, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(config, transport)
	if err != nil {
		return Client{}, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))
	return Client{Dynamic: dyn, Mapper: mapper}, nil
}

// Resource returns the interface to one kind, in one namespace where the kind
// has namespaces. An empty version means the one that the server prefers. The
// error is a NoMatch (meta.IsNoMatchError) where the server has no such kind.
func (c Client) Resource(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	var versions []string
	if kind.Version != "" {
		versions = []string{kind.Version}
	}
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), versions...)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && namespace != "" {
		return c.Dynamic.Resource(mapping.Resource).Namespace(namespace), nil
	}
	return c.Dynamic.Resource(mapping.Resource), nil
}

// List goes through all objects of a kind in pages. It ends after the first
// error; more than MaxObjects are one.
func List(ctx context.Context, from dynamic.ResourceInterface, selector string) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		options := metav1.ListOptions{LabelSelector: selector, Limit: PageSize}
		for n := 0; ; {
			page, err := from.List(ctx, options)
			if err != nil {
				yield(nil, err)
				return
			}
			if n += len(page.Items); n > MaxObjects {
				yield(nil, tooLarge{fmt.Sprintf("more than %d objects of one kind: no cluster has so many", MaxObjects)})
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if options.Continue = page.GetContinue(); options.Continue == "" {
				return
			}
		}
	}
}

// Bound returns a configuration whose every request ends when ctx does, also
// those for which client-go takes no context, as discovery.
func Bound(ctx context.Context, config *rest.Config) *rest.Config {
	bound := rest.CopyConfig(config)
	bound.Wrap(func(next http.RoundTripper) http.RoundTripper { return boundTripper{ctx, next} })
	return bound
}

type boundTripper struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b boundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	// The answer's body is read after this returns, so nothing but the end of
	// b.ctx may cancel.
	ctx, cancel := context.WithCancelCause(r.Context())
	context.AfterFunc(b.ctx, func() { cancel(context.Cause(b.ctx)) })
	return b.next.RoundTrip(r.WithContext(ctx))
}
