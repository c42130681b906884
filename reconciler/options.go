// SPDX-License-Identifier: Apache-2.0

package reconciler

import (
	"context"
	"time"

	"github.com/fairlead/fairlead/compiler"
	"github.com/fairlead/fairlead/reconciler/internal/git"
	"github.com/fairlead/fairlead/reconciler/internal/report"
)

// Source says where the files are; see its fields.
type Source = git.Source

// Snapshot is the files of one revision; Close it.
type Snapshot = git.Snapshot

// Report is what a round found and did.
type Report = report.Report

// Take returns the files that a source names. Its errors are one line for
// people.
func Take(ctx context.Context, s Source) (Snapshot, error) { return git.Take(ctx, s) }

// Options of a reconcile.
type Options struct {
	Source Source
	// Kubeconfig reaches the clusters by the contexts that the ClusterSet
	// names. Empty: $KUBECONFIG, then ~/.kube/config.
	Kubeconfig string
	// Hub is the context of the cluster that holds the kubeconfigs of clusters
	// that the ClusterSet names by a Secret. Empty: the kubeconfig's current one.
	Hub string
	// Wait goes round until nothing is pending and every cluster is served, at
	// most for Timeout.
	Wait bool
	// Timeout of Wait; zero means DefaultTimeout.
	Timeout time.Duration
	// Progress is told what is going on, in one line each; nil: nobody.
	Progress func(line string)
}

// Access is the way to the clusters; see the fields of Options.
type Access struct{ Kubeconfig, Hub string }

func (o Options) access() Access { return Access{o.Kubeconfig, o.Hub} }

// DefaultTimeout of Options.Wait: agents announce their keys within seconds of
// their start, and a DaemonSet needs a few minutes to pull its image.
const DefaultTimeout = 5 * time.Minute

// roundInterval is the pause between two rounds: a round reads every cluster,
// and what is waited for takes seconds.
const roundInterval = time.Second

// parallelClusters bounds how many clusters are written to at a time.
const parallelClusters = 16

func (o Options) progress(line string) {
	if o.Progress != nil {
		o.Progress(line)
	}
}

// sharesOf returns the traffic of one consumer.
func sharesOf(result compiler.Result, consumer string) []compiler.Traffic {
	var shares []compiler.Traffic
	for _, t := range result.Traffic {
		if t.Consumer == consumer {
			shares = append(shares, t)
		}
	}
	return shares
}
