// SPDX-License-Identifier: Apache-2.0

package source

// wrongPaths are the paths of what must not be read any further. A document may
// have very many, and every check asks.
type wrongPaths struct {
	// paths are wrong themselves, and around has something wrong inside.
	paths, around map[string]bool
}

// add takes in a path.
func (w *wrongPaths) add(path string) {
	if w.paths == nil {
		w.paths, w.around = map[string]bool{}, map[string]bool{}
	}
	w.paths[path] = true
	for path != "" && !w.around[path] {
		w.around[path] = true
		path = parent(path)
	}
	w.around[""] = true
}

// wrongAt tells whether something at or around a path is wrong.
func (c *checker) wrongAt(path string) bool {
	if c.wrong.paths == nil {
		return false
	}
	for {
		if c.wrong.paths[path] {
			return true
		}
		if path == "" {
			return false
		}
		path = parent(path)
	}
}

// touches tells whether something at, in or around a path is wrong.
func (c *checker) touches(path string) bool { return c.wrong.around[path] || c.wrongAt(path) }
