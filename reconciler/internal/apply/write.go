// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead/fairlead/reconciler/internal/applyset"
	"github.com/fairlead/fairlead/reconciler/internal/kube"
)

// attempts bounds how often an object that others change at the same time is
// looked at again; the next run takes up what is left.
const attempts = 5

// absent is a resourceVersion that no object has (etcd's first write is
// revision 2). A server-side apply that carries it creates an object, and fails
// with a conflict where one exists: so what is believed to be absent can never
// overwrite what somebody else just made.
const absent = "1"

// result is what became of one step.
type result struct {
	// op is empty where nothing had to be done.
	op      Op
	message string
	// lost: the server could not be reached.
	lost bool
	// exists is the member that is there now; nil where there is none.
	exists *unstructured.Unstructured
}

func failed(err error, exists *unstructured.Unstructured) result {
	var status apierrors.APIStatus
	lost := !errors.As(err, &status) && !meta.IsNoMatchError(err)
	return result{op: Failed, message: kube.Explain(err), lost: lost, exists: exists}
}

// write creates or changes one object.
func (r *run) write(ctx context.Context, step Step) result {
	resource, err := r.request.Client.Resource(step.Desired.GroupVersionKind(), step.Desired.GetNamespace())
	if meta.IsNoMatchError(err) {
		return result{op: Failed, message: fmt.Sprintf("the server has no kind %s %s", step.Ref.Kind, step.Ref.APIVersion)}
	}
	if err != nil {
		return failed(err, step.Live)
	}
	live := step.Live
	for range attempts {
		applied, err := serverSideApply(ctx, resource, step.Desired, live)
		switch {
		case err == nil && live == nil:
			return result{op: Created, exists: applied}
		case err == nil && applied.GetResourceVersion() == live.GetResourceVersion():
			return result{exists: applied}
		case err == nil:
			return result{op: Changed, exists: applied}
		case !apierrors.IsConflict(err):
			return failed(err, step.Live)
		}
		// The object is not what we looked at: look again.
		live, err = get(ctx, resource, step.Desired.GetName())
		if err != nil {
			return failed(err, step.Live)
		}
		if live != nil && !r.isMember(live) {
			return result{op: Held, message: "exists and belongs to " + Owner(live) + "; it was not touched"}
		}
	}
	return result{op: Failed, message: "somebody else keeps changing it", exists: live}
}

// remove removes one object.
func (r *run) remove(ctx context.Context, step Step) result {
	kind := schema.FromAPIVersionAndKind(step.Ref.APIVersion, step.Ref.Kind)
	resource, err := r.request.Client.Resource(kind, step.Ref.Namespace)
	if err != nil {
		return failed(err, step.Live)
	}
	live := step.Live
	for range attempts {
		err := deleteExactly(ctx, resource, live)
		switch {
		case err == nil:
			return result{op: Pruned}
		case apierrors.IsNotFound(err):
			return result{}
		case !apierrors.IsConflict(err):
			return failed(err, live)
		}
		live, err = get(ctx, resource, step.Ref.Name)
		if err != nil {
			return failed(err, step.Live)
		}
		if live == nil || !r.isMember(live) {
			// Gone, or taken over by somebody: it is not ours any more.
			return result{}
		}
	}
	return result{op: Failed, message: "somebody else keeps changing it", exists: live}
}

// isMember tells whether an object carries the set's label.
func (r *run) isMember(o *unstructured.Unstructured) bool {
	return o.GetLabels()[applyset.LabelPartOf] == applyset.ID(r.request.Bundle.ClusterSet)
}

// writeParent writes the AppliedBundle and keeps it as it then is.
func (r *run) writeParent(ctx context.Context, record *unstructured.Unstructured) error {
	resource, err := r.request.Client.Resource(parentKind, "")
	if err != nil {
		return err
	}
	written, err := serverSideApply(ctx, resource, record, r.parent)
	if apierrors.IsConflict(err) {
		return fmt.Errorf("another reconcile is writing to this cluster; run again when it has ended")
	}
	if err != nil {
		return err
	}
	r.parent = written
	r.outcome.Recorded = true
	return nil
}

// serverSideApply writes the desired object on the condition that it still is
// the live one, or still absent where live is nil. Fields that others took are
// taken back: the condition has made sure that the object is ours.
func serverSideApply(ctx context.Context, resource dynamic.ResourceInterface, desired, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	o := desired.DeepCopy()
	o.SetResourceVersion(absent)
	if live != nil {
		o.SetResourceVersion(live.GetResourceVersion())
		o.SetUID(live.GetUID())
	}
	ctx, cancel := inFlight(ctx)
	defer cancel()
	return resource.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
}

// deleteExactly removes the live object and no other of its name.
func deleteExactly(ctx context.Context, resource dynamic.ResourceInterface, live *unstructured.Unstructured) error {
	uid, version := types.UID(live.GetUID()), live.GetResourceVersion()
	ctx, cancel := inFlight(ctx)
	defer cancel()
	return resource.Delete(ctx, live.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
	})
}

// get returns an object, or nil where there is none.
func get(ctx context.Context, resource dynamic.ResourceInterface, name string) (*unstructured.Unstructured, error) {
	ctx, cancel := inFlight(ctx)
	defer cancel()
	o, err := resource.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return o, err
}

// inFlight lets a request that has begun come to its end when the run is
// interrupted: nobody should have to guess whether a write was made.
func inFlight(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), kube.RequestTimeout)
}
