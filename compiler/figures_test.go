// SPDX-License-Identifier: Apache-2.0

package compiler

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/fairlead/fairlead/compiler/diag"
	"github.com/fairlead/fairlead/compiler/internal/fleet"
	"github.com/fairlead/fairlead/compiler/internal/plan"
	"github.com/fairlead/fairlead/compiler/internal/source"
	"github.com/fairlead/fairlead/compiler/internal/workers"
	"github.com/fairlead/fairlead/compiler/manifest"
	"github.com/fairlead/fairlead/test/workload"
)

// BenchmarkFigures prints what the compiler costs, once, each figure with what
// it is meant to be. "make bench-compile" runs it. What runs side by side runs
// with the same processors; everything else depends on the machine.
func BenchmarkFigures(b *testing.B) {
	for b.Loop() {
		w := workload.New(workload.W())
		warmUp(b)
		small := figureCold(b, w)
		figureStages(b, w)
		figureEncoding(b, w)
		figureWarm(b, w)
		figureVet(b, w)
		w = workload.Workload{}
		figureTenfold(b, small)
		figureResident(b)
	}
}

// figure prints one line: what it is, how much it is, and what it should be.
func figure(name, value, target string) {
	if target != "" {
		target = "(target " + target + ")"
	}
	fmt.Printf("%-52s %-34s %s\n", name, value, target)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func mebibytes(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }

// cost is what something took.
type cost struct {
	wall, processor time.Duration
	// peak is the most memory that the process had meanwhile.
	peak uint64
}

func (c cost) String() string {
	return fmt.Sprintf("%s (processors %s)", milliseconds(c.wall), milliseconds(c.processor))
}

// measure runs something with nothing of before in memory.
func measure(do func()) cost {
	debug.FreeOSMemory()
	// Writing 5 begins the peak anew (proc(5), clear_refs); where that cannot
	// be, it is that of the process.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	before, start := processorTime(), time.Now()
	do()
	return cost{wall: time.Since(start), processor: processorTime() - before, peak: peakMemory()}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is VmHWM, in bytes.
func peakMemory() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, _ := strconv.ParseUint(strings.Fields(rest + " 0")[0], 10, 64)
	return n << 10
}

// warmUp builds the schemas and rules, which is done once in a process.
func warmUp(b *testing.B) {
	cost := measure(func() {
		w := workload.New(workload.Small())
		if _, diags := Compile(w.Files, w.Inventory); len(diags) > 0 {
			b.Fatal(diags)
		}
	})
	figure("first compile of a process, 40 policies", cost.String(), "")
}

// output is how many bytes of YAML a result is.
func output(r Result) int {
	n := 0
	for _, bundle := range r.Bundles {
		for _, o := range bundle.Objects() {
			n += len(o.YAML())
		}
	}
	return n
}

// weighed is a compile and its size.
type weighed struct {
	cost
	output int
}

func figureCold(b *testing.B, w workload.Workload) weighed {
	best := weighed{}
	for range 3 {
		var r Result
		c := measure(func() {
			var diags []diag.Diagnostic
			if r, diags = Compile(w.Files, w.Inventory); len(diags) > 0 {
				b.Fatal(diags[0])
			}
		})
		if best.wall == 0 || c.wall < best.wall {
			best = weighed{c, output(r)}
		}
	}
	figure("cold compile of W", best.cost.String(), "2000 ms")
	figure("  most memory of the process", mebibytes(best.peak), "500 MB")
	figure("  output", mebibytes(uint64(best.output)), "")
	return best
}

// figureStages runs one stage after the other on one processor, as a compile
// does, and what follows it: the digests, and all YAML.
func figureStages(b *testing.B, w workload.Workload) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	stage := func(name string, do func()) time.Duration {
		c := measure(do)
		figure("  stage "+name+", one processor", c.String(), "")
		return c.processor
	}
	var docs source.Documents
	load := stage("source", func() { docs, _ = source.Load(w.Files) })
	figure("validation of a document", fmt.Sprintf("%.2f ms", float64(load)/1e6/float64(len(docs.Policies)+len(docs.ClusterSets))), "0.8 ms")
	c := &compilation{inv: w.Inventory}
	stage("fleet", func() { c.fleet, _ = fleet.Build(docs, w.Inventory) })
	stage("plan", func() {
		planner := plan.NewPlanner(c.fleet.Sets)
		plan.Shared(c.fleet)
		for _, s := range c.fleet.Services {
			if plans, diags := planner.Service(s); len(plans) == 0 || len(diags) > 0 {
				b.Fatalf("service %s: %d plans, %v", s.Key(), len(plans), diags)
			}
		}
	})
	var parts []*part
	stage("plan again, emit and seal", func() { parts = c.parts() })
	var r Result
	stage("assemble", func() { r.assemble(c.fleet.Sets, parts) })
	stage("digests", func() { digests(r) })
	stage("YAML", func() { eachObject(parts, func(o manifest.Object) { o.YAML() }) })
}

// figureEncoding compares with what sigs.k8s.io/yaml takes for the same objects
// on the same processors.
func figureEncoding(b *testing.B, w workload.Workload) {
	docs, _ := source.Load(w.Files)
	f, _ := fleet.Build(docs, w.Inventory)
	ours, theirs := []time.Duration{}, []time.Duration{}
	for range 3 {
		var parts []*part
		ours = append(ours, measure(func() {
			parts = (&compilation{inv: w.Inventory, fleet: f}).parts()
			eachObject(parts, func(o manifest.Object) { o.YAML() })
		}).wall)
		contents := make([][]map[string]any, len(parts))
		for i, p := range parts {
			for _, fragment := range p.fragments {
				for _, o := range fragment.Objects {
					contents[i] = append(contents[i], o.Unstructured().Object)
				}
			}
		}
		theirs = append(theirs, measure(func() {
			workers.Each(len(contents), func() func(int) {
				return func(i int) {
					for _, content := range contents[i] {
						if _, err := yaml.Marshal(content); err != nil {
							b.Error(err)
						}
					}
				}
			})
		}).wall)
	}
	figure("plan, emit and encode", milliseconds(slices.Min(ours)), "")
	figure("sigs.k8s.io/yaml for the same objects", milliseconds(slices.Min(theirs)), "")
	figure("  ratio", fmt.Sprintf("%.2f", float64(slices.Min(ours))/float64(slices.Min(theirs))), "1.0")
}

func eachObject(parts []*part, do func(manifest.Object)) {
	workers.Each(len(parts), func() func(int) {
		return func(i int) {
			for _, fragment := range parts[i].fragments {
				for _, o := range fragment.Objects {
					do(o)
				}
			}
		}
	})
}

// digests is what the reconciler looks at first, in each cluster by itself.
func digests(r Result) []string {
	out := make([]string, len(r.Bundles))
	workers.Each(len(out), func() func(int) {
		return func(i int) { out[i] = r.Bundles[i].Digest() }
	})
	return out
}

// warmEditions are how many changes the figure is the median of.
const warmEditions = 41

// figureWarm changes one policy after the other. What was observed is looked at
// anew each time, whatever is remembered.
func figureWarm(b *testing.B, w workload.Workload) {
	empty, session := live(), &Session{}
	r, _ := session.Compile(w.Files, w.Inventory)
	w.Inventory.Ledger = r.Allocations
	last := digests(r)
	_, _ = session.Compile(w.Files, w.Inventory)
	var walls, processors []time.Duration
	for edition := range warmEditions {
		w.Edit(edition*37%w.Policies, 1+edition)
		start, before := time.Now(), processorTime()
		r, diags := session.Compile(w.Files, w.Inventory)
		now := digests(r)
		walls, processors = append(walls, time.Since(start)), append(processors, processorTime()-before)
		if len(diags) > 0 || slices.Equal(now, last) {
			b.Fatalf("edition %d changed nothing, with %v", edition, diags)
		}
		last = now
	}
	slices.Sort(walls)
	slices.Sort(processors)
	figure(fmt.Sprintf("one policy changed, warm (median of %d)", warmEditions), milliseconds(walls[len(walls)/2]), "20 ms")
	figure("  best and worst", milliseconds(walls[0])+", "+milliseconds(walls[len(walls)-1]), "")
	figure("  processors, best and median", milliseconds(processors[0])+", "+milliseconds(processors[len(processors)/2]), "")
	figure("  what the session remembers", mebibytes(live()-empty), "")
	runtime.KeepAlive(session)
}

// figureTenfold compares with W by the size of the output.
func figureTenfold(b *testing.B, small weighed) {
	w := workload.New(workload.Tenfold())
	var r Result
	c := measure(func() {
		var diags []diag.Diagnostic
		if r, diags = Compile(w.Files, w.Inventory); len(diags) > 0 {
			b.Fatal(diags[0])
		}
	})
	size := output(r)
	times := func(a, b float64) string { return fmt.Sprintf("%.1f times W", a/b) }
	figure("10 x W: output", mebibytes(uint64(size))+", "+times(float64(size), float64(small.output)), "")
	figure("10 x W: time", c.String()+", "+times(float64(c.processor), float64(small.processor)), "as the output")
	figure("10 x W: memory", mebibytes(c.peak)+", "+times(float64(c.peak), float64(small.peak)), "as the output")
}
