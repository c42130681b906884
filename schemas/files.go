// SPDX-License-Identifier: Apache-2.0

package schemas

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed v1alpha1/*.json v1alpha1/*.cue
var files embed.FS

// JSONSchema returns the JSON Schema of a kind that people write. It fails
// where there is none.
func JSONSchema(kind string) ([]byte, error) {
	return files.ReadFile("v1alpha1/zz_generated." + strings.ToLower(kind) + ".json")
}

// CUE returns the CUE files of v1alpha1 by their paths from the repository's
// root.
func CUE() (map[string]string, error) {
	names, err := fs.Glob(files, "v1alpha1/*.cue")
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts["schemas/"+name] = string(text)
	}
	return texts, nil
}
