// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// running lists the process ids of the inits of running labs. The environment
// of a process is where it can be told from others without any file on disk.
func running() ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile, or another user's
		}
		env := strings.Split(string(text), "\x00")
		if slices.Contains(env, labVariable+"=1") && slices.Contains(env, "FAIRLEAD_SANDBOX=init") {
			pid, err := strconv.Atoi(strings.Split(path, "/")[2])
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// root is where a lab's sandbox has a path, seen from here.
func root(pid int, path string) string { return fmt.Sprintf("/proc/%d/root%s", pid, path) }

// places are the nodes and pods of a lab, as exec takes them.
func places(pid int) ([]string, error) {
	entries, err := os.ReadDir(root(pid, "/run/netns"))
	if err != nil {
		return nil, fmt.Errorf("look into lab %d: %w", pid, err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.ReplaceAll(e.Name(), ":", "/"))
	}
	return names, nil
}

// runList prints the running labs.
func runList(args []string, stdout io.Writer) (int, error) {
	if len(args) > 0 {
		return codeUsage, fmt.Errorf("unexpected argument %q", args[0])
	}
	pids, err := running()
	if err != nil {
		return codeFailed, err
	}
	for _, pid := range pids {
		fmt.Fprintf(stdout, "lab %d  kubeconfig %s\n", pid, root(pid, labDir+"/kubeconfig"))
		names, err := places(pid)
		if err != nil {
			return codeFailed, err
		}
		for _, n := range names {
			fmt.Fprintln(stdout, "  "+n)
		}
	}
	return 0, nil
}

// runExec becomes a program in a node or pod of a running lab.
func runExec(args []string, stderr io.Writer) (int, error) {
	f := flag.NewFlagSet("lab exec", flag.ContinueOnError)
	f.SetOutput(stderr)
	pid := f.Int("lab", 0, "`PID` of the lab, where several run")
	if err := f.Parse(args); err != nil {
		return codeUsage, err
	}
	rest := f.Args()
	if len(rest) > 1 && rest[1] == "--" {
		rest = slices.Delete(rest, 1, 2)
	}
	if len(rest) < 2 {
		return codeUsage, errors.New("needs a node (CLUSTER/NODE) or pod (CLUSTER/NAMESPACE/POD) and a command")
	}
	if *pid == 0 {
		var err error
		if *pid, err = only(); err != nil {
			return codeFailed, err
		}
	}
	names, err := places(*pid)
	if err != nil {
		return codeFailed, err
	}
	if !slices.Contains(names, rest[0]) {
		return codeFailed, fmt.Errorf("no %s in lab %d; there are: %s", rest[0], *pid, strings.Join(names, ", "))
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return codeFailed, err
	}
	ns := "/run/netns/" + strings.ReplaceAll(rest[0], "/", ":")
	argv := append([]string{
		"nsenter", "--target", strconv.Itoa(*pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--",
		"nsenter", "--net=" + ns, "--",
		"env", "PATH=" + labDir + "/bin:" + os.Getenv("PATH"),
	}, rest[1:]...)
	return codeFailed, fmt.Errorf("start nsenter: %w", syscall.Exec(nsenter, argv, os.Environ()))
}

// only is the one lab that runs.
func only() (int, error) {
	pids, err := running()
	if err != nil {
		return 0, err
	}
	switch len(pids) {
	case 0:
		return 0, errors.New("no lab runs; start one with `make lab`")
	case 1:
		return pids[0], nil
	}
	return 0, fmt.Errorf("several labs run: %v; choose one with --lab PID", pids)
}
