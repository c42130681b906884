// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	mcs "sigs.k8s.io/mcs-api/config/crd"

	"sigs.k8s.io/controller-tools/pkg/crd"
	"sigs.k8s.io/controller-tools/pkg/deepcopy"
	"sigs.k8s.io/controller-tools/pkg/genall"
)

// fromTypes writes what comes from the Go types directly.
func fromTypes() error {
	if err := removeOld(filepath.Join(crdDir, "*.yaml")); err != nil {
		return err
	}
	header, err := licenceHeader()
	if err != nil {
		return err
	}
	defer os.Remove(header)
	var copies genall.Generator = deepcopy.Generator{HeaderFile: header}
	var resources genall.Generator = crd.Generator{}
	gens := genall.Generators{&copies, &resources}
	rt, err := gens.ForRoots("./" + typesDir)
	if err != nil {
		return fmt.Errorf("load the types: %w", err)
	}
	rt.OutputRules = genall.OutputRules{
		Default: genall.OutputArtifacts{},
		ByGenerator: map[*genall.Generator]genall.OutputRule{
			&copies:    genall.OutputToDirectory(typesDir),
			&resources: genall.OutputToDirectory(crdDir),
		},
	}
	if rt.Run() {
		return errors.New("the types are not right; see above")
	}
	return stampVersion()
}

// stampVersion names the release of controller-gen in the custom resources.
// The library can name only the program that it is part of, which has none.
func stampVersion() error {
	const library = "sigs.k8s.io/controller-tools"
	info, _ := debug.ReadBuildInfo()
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == library })
	files, err := filepath.Glob(filepath.Join(crdDir, "fairlead.dev_*.yaml"))
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text = bytes.Replace(text, []byte("/version: (devel)"), []byte("/version: "+info.Deps[i].Version), 1)
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// licenceHeader writes the first line of every Go file where controller-gen
// wants it: in a file.
func licenceHeader() (string, error) {
	f, err := os.CreateTemp("", "header")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString("// SPDX-License-Identifier: Apache-2.0\n")
	return f.Name(), errors.Join(err, f.Close())
}

// removeOld removes generated files, so that those of a kind that is gone do
// not stay.
func removeOld(pattern string) error {
	old, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// copyMCS writes the custom resources of the MCS API as their project
// publishes them: v1beta1 stored, v1alpha1 served.
func copyMCS() error {
	files := map[string][]byte{
		"multicluster.x-k8s.io_serviceexports.yaml": mcs.ServiceExportCRD,
		"multicluster.x-k8s.io_serviceimports.yaml": mcs.ServiceImportCRD,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(crdDir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// write writes a generated file, its text ending in one newline.
func write(name string, text []byte) error {
	return os.WriteFile(name, slices.Concat(text, []byte("\n")), 0o644)
}
