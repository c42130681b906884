// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/sha256"
	"io/fs"
	"runtime"
	"sync"

	"github.com/fairlead/fairlead/compiler/diag"
)

// Cache remembers documents that were checked, so that one that did not change
// never meets CUE again. Its zero value is empty and ready for use. It holds the
// documents of the last Load and nothing else; the same Documents come out of
// later ones and must not be changed. One Load at a time.
type Cache struct {
	mu sync.Mutex
	// before are the documents of the last Load, now those of this one.
	before, now map[Identity]*loader
}

// Identity identifies a document by its place and its text: two documents of
// one Identity have the same fields at the same positions. The zero value is
// that of a document that no Cache has seen.
type Identity struct {
	file string
	line int
	text [sha256.Size]byte
}

// Load is the function Load, for what it has not seen before.
func (c *Cache) Load(files fs.FS) (Documents, []diag.Diagnostic) {
	c.now = make(map[Identity]*loader, len(c.before))
	docs, ds := load(files, c)
	c.before, c.now = c.now, nil
	return docs, ds
}

// document checks a document or finds what was found before. A nil Cache
// remembers nothing.
func (c *Cache) document(k chunk) *loader {
	if c == nil {
		l := &loader{}
		l.document(k)
		return l
	}
	key := Identity{k.file, k.line, sha256.Sum256(k.text)}
	c.mu.Lock()
	l := c.before[key]
	c.mu.Unlock()
	if l == nil {
		own := key
		l = &loader{identity: &own}
		l.document(k)
	}
	c.mu.Lock()
	c.now[key] = l
	c.mu.Unlock()
	return l
}

// job is a file that was read and the loader that takes in what it holds.
type job struct {
	into *loader
	name string
	text []byte
}

// pool checks files on every processor while others are read.
type pool struct {
	jobs chan job
	all  sync.WaitGroup
}

// startPool starts the workers; close ends them.
func startPool(c *Cache) *pool {
	workers := runtime.GOMAXPROCS(0)
	p := &pool{jobs: make(chan job, workers)}
	for range workers {
		p.all.Go(func() {
			for j := range p.jobs {
				for _, k := range split(j.name, j.text) {
					j.into.checked = append(j.into.checked, c.document(k))
				}
			}
		})
	}
	return p
}

// close waits until all files are checked.
func (p *pool) close() {
	close(p.jobs)
	p.all.Wait()
}

// take adds what another loader found.
func (l *loader) take(o *loader) {
	l.docs.ClusterSets = append(l.docs.ClusterSets, o.docs.ClusterSets...)
	l.docs.Policies = append(l.docs.Policies, o.docs.Policies...)
	l.docs.Tests = append(l.docs.Tests, o.docs.Tests...)
	l.docs.Broken = append(l.docs.Broken, o.docs.Broken...)
	l.docs.BrokenSets = append(l.docs.BrokenSets, o.docs.BrokenSets...)
	l.diags = append(l.diags, o.diags...)
	l.names = append(l.names, o.names...)
	l.seen += o.seen
	l.nameless = l.nameless || o.nameless
	for _, document := range o.checked {
		l.take(document)
	}
}
