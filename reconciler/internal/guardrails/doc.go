// SPDX-License-Identifier: Apache-2.0

// Package guardrails evaluates an organisation's own rules: the files
// guardrails/*.cue of a repository.
//
// A guardrail is one file. It sees clusterSets, policies, clusters, traffic and
// objects (compiler.Judged), and says in the lists deny and warn what is wrong:
//
//	deny: [...{message: string, document?: string, path?: string, fix?: string}]
//
// A document is named as in traffic and objects, a path leads to a field of it.
//
// CUE cannot be interrupted and takes what memory it likes, so a guardrail is
// evaluated by a process of its own (Child, on the other end of Check), which
// limits itself before it reads a byte and is killed when its time is over. What
// it says is cut off at a limit too.
//
// Out of scope: what a guardrail means for a revision; that is the caller's.
package guardrails
