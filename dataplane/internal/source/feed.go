// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// feed reads along one resource. What was read stays when the API server is
// gone.
type feed struct {
	resource schema.GroupVersionResource
	informer cache.SharedIndexInformer
	owner    *Cluster

	mu      sync.Mutex
	trouble string
}

// newFeed prepares to read a resource, or the objects that a field selector
// chooses.
func newFeed(client dynamic.ResourceInterface, r schema.GroupVersionResource, selector string, owner *Cluster) *feed {
	f := &feed{resource: r, owner: owner}
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			list, err := client.List(ctx, o)
			if err == nil {
				f.note(nil)
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return client.Watch(ctx, o)
		},
	}
	f.informer = cache.NewSharedIndexInformer(lw, &unstructured.Unstructured{}, 0, nil)
	// Both can fail only on an informer that was started.
	_ = f.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) { f.note(err) })
	_, _ = f.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { owner.notify() },
		UpdateFunc: func(any, any) { owner.notify() },
		DeleteFunc: func(any) { owner.notify() },
	})
	return f
}

// note keeps what the trouble is, and logs it when it is another one.
func (f *feed) note(err error) {
	text := ""
	if err != nil {
		text = f.explain(err)
	}
	f.mu.Lock()
	news := text != f.trouble && text != ""
	f.trouble = text
	f.mu.Unlock()
	if news {
		f.owner.log.Warn("cannot read from the API server, trying again", "resource", f.resource.GroupResource().String(), "reason", text)
	}
	f.owner.notify()
}

// explain says what an error means for a person.
func (f *feed) explain(err error) string {
	switch {
	case apierrors.IsNotFound(err):
		return "the CRD is not installed"
	case apierrors.IsForbidden(err):
		return "the agent is not allowed to read it"
	case apierrors.IsUnauthorized(err):
		return "the API server does not accept the agent's credentials"
	}
	var status *apierrors.StatusError
	if errors.As(err, &status) {
		return status.ErrStatus.Message
	}
	return err.Error()
}

// waitingFor says what is missing while the feed has not read everything once.
func (f *feed) waitingFor() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := f.resource.GroupResource().String()
	if f.trouble == "" {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, f.trouble)
}

// list is all objects, in no particular order.
func (f *feed) list() []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range f.informer.GetStore().List() {
		if u, ok := o.(*unstructured.Unstructured); ok {
			out = append(out, u)
		}
	}
	return out
}
