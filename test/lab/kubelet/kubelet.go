// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fairlead/fairlead/test/netns"
)

// Node is a network namespace that plays a node.
type Node struct {
	// Name is the Node object's.
	Name string
	NS   *netns.NS
	// Address is the node's InternalIP.
	Address netip.Addr
	// PodCIDR is the node's share of the cluster's pod addresses.
	PodCIDR netip.Prefix
	// Labels are added to the hostname, OS and architecture labels.
	Labels map[string]string
}

// Config says what one cluster's nodes are.
type Config struct {
	// Cluster is the cluster's name.
	Cluster string
	Client  kubernetes.Interface
	// Nodes are at least one.
	Nodes []Node
	// Dir is where pods' logs go.
	Dir string
	// Path is searched for containers' programs before the machine's PATH.
	Path string
	// Log gets what goes wrong with pods. nil: nowhere.
	Log *slog.Logger
}

// node is a Node with what runs on it.
type node struct {
	Node
	pool *pool
	// cables numbers the node's ends of pods' cables.
	cables atomic.Int64
}

// Kubelet looks after the pods of one cluster. Its methods may be called
// concurrently.
type Kubelet struct {
	config Config
	log    *slog.Logger
	nodes  map[string]*node
	// end ends the whole, all waits for it.
	end context.CancelFunc
	all sync.WaitGroup

	// turn counts the pods that were bound, placed remembers where those that
	// exist were. Both belong to the goroutine that watches.
	turn   int
	placed map[types.UID]placement

	mu      sync.Mutex
	workers map[types.UID]*worker
}

// Start registers the nodes and begins to look after pods. The API server must
// serve; it may go away later.
func Start(ctx context.Context, config Config) (*Kubelet, error) {
	k := &Kubelet{config: config, log: config.Log, nodes: map[string]*node{}, workers: map[types.UID]*worker{}, placed: map[types.UID]placement{}}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	for _, n := range config.Nodes {
		k.nodes[n.Name] = &node{Node: n, pool: newPool(n.PodCIDR)}
		if err := register(ctx, config.Client, n); err != nil {
			return nil, fmt.Errorf("register node %s of %s: %w", n.Name, config.Cluster, err)
		}
	}
	life, end := context.WithCancel(context.Background())
	k.end = end
	k.all.Go(func() { k.watch(life) })
	return k, nil
}

// Close ends all containers at once and waits. Objects in the API server stay.
func (k *Kubelet) Close() {
	k.end()
	k.mu.Lock()
	for _, w := range k.workers {
		w.terminate(0)
	}
	k.mu.Unlock()
	k.all.Wait()
}

// PodNSName is the name of a pod's network namespace.
func PodNSName(cluster, namespace, name string) string {
	return strings.Join([]string{cluster, namespace, name}, ":")
}

// PodNS is the network namespace of a running pod: the node's own for a pod on
// the host's network.
func (k *Kubelet) PodNS(namespace, name string) (*netns.NS, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range k.workers {
		if w.first.Namespace == namespace && w.first.Name == name && !w.stopping.Load() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.place != nil {
				return w.place.ns, nil
			}
		}
	}
	return nil, fmt.Errorf("pod %s/%s does not run in %s", namespace, name, k.config.Cluster)
}

// LogPath is the file that a container's output goes to.
func (k *Kubelet) LogPath(pod *corev1.Pod, container string) string {
	return filepath.Join(k.podDir(pod), container+".log")
}

// podDir is told from others of the same pod name by uid.
func (k *Kubelet) podDir(pod *corev1.Pod) string {
	return filepath.Join(k.config.Dir, pod.Namespace+"_"+pod.Name+"_"+string(pod.UID))
}

// labels are a node's labels.
func (n Node) labels() map[string]string {
	l := map[string]string{
		corev1.LabelHostname:   n.Name,
		corev1.LabelOSStable:   "linux",
		corev1.LabelArchStable: "amd64",
	}
	maps.Copy(l, n.Labels)
	return l
}
