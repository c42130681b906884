// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"cmp"
	"slices"
)

// Code describes a code for the reference.
type Code struct {
	// ID is FL and four digits.
	ID string
	// Title is a short name of the mistake.
	Title string
	// Doc says when it is reported and what to do.
	Doc string
	// Severity of the diagnostics that have the code. Empty: Error.
	Severity Severity
}

// Level is the severity, written out.
func (c Code) Level() Severity { return cmp.Or(c.Severity, Error) }

// Page is the path of the code's page in the repository of Fairlead.
func (c Code) Page() string { return "docs/codes/" + c.ID + ".md" }

// table has every code once, in the order of the numbers.
var table = []Code{
	{ID: CodeUnreadable, Title: "unreadable file", Doc: "A file or directory could not be read from the source at all. Check that it exists and that it may " +
		"be read."},
	{ID: CodeNotText, Title: "not text", Doc: "A file that ends in .yaml or .yml has bytes that no UTF-8 text has. Save it as UTF-8, or give it " +
		"another ending."},
	{ID: CodeTooLarge, Title: "file too large", Doc: "A file with Fairlead documents may have 1 MiB, and no file that ends in .yaml or .yml may have more " +
		"than 8 MiB, so that a mistake cannot exhaust the reader. Split the file, or move it out of the " +
		"directory that Fairlead reads."},
	{ID: CodeSyntax, Title: "broken YAML", Doc: "The text is not YAML from this line on. The other documents of the file are checked all the same. " +
		"Text with {{ in it that does not speak of fairlead.dev is taken for somebody else's template and " +
		"left alone."},
	{ID: CodeDuplicateKey, Title: "duplicate key", Doc: "A key stands twice in one mapping; YAML readers differ in which one they take. Keep one."},
	{ID: CodeAlias, Title: "alias or merge key", Doc: "Aliases (*name) and merge keys (<<) are not read in Fairlead documents, because a reviewer must see " +
		"a value where it counts; and nobody's document may have aliases that stand for more than a million " +
		"values. Write the value out."},
	{ID: CodeTooDeep, Title: "nested too deeply", Doc: "No field of Fairlead's is that deep; usually the indentation went wrong."},
	{ID: CodeTag, Title: "YAML tag", Doc: "A value has a YAML tag that JSON has no type for. Remove it."},
	{ID: CodeNotAMapping, Title: "not one document", Doc: "What was meant to be Fairlead's is inside a list, a List or a text. Write each document by itself, " +
		"with a line --- between two."},
	{ID: CodeNoDocuments, Title: "no documents", Doc: "No file has a document whose apiVersion is of the group fairlead.dev. An empty source would remove " +
		"everything from the clusters, so it is taken for a mistake."},
	{ID: CodeSymlink, Title: "symbolic link", Doc: "Symbolic links are not followed, because they can point out of the repository. Put the " +
		"file itself there.", Severity: Warning},
	{ID: CodeAPIVersion, Title: "unknown apiVersion", Doc: "The group or the version of a document is nearly, but not quite, Fairlead's. Write " +
		"fairlead.dev/v1alpha1."},
	{ID: CodeKind, Title: "unknown kind", Doc: "People write TrafficPolicy and ClusterSet."},
	{ID: CodeWrittenByUs, Title: "kind that Fairlead writes", Doc: "Dataplane, NodeState, ServiceRoute and AppliedBundle are results. Remove the document from the " +
		"repository."},
	{ID: CodeStatus, Title: "status in git", Doc: "The status of an object is what became of it in a cluster. Remove it."},
	{ID: CodeUnknownField, Title: "unknown field", Doc: "There is no field of this name here. Nothing is ever ignored in silence."},
	{ID: CodeType, Title: "wrong type", Doc: "The value is of another type than the field. Text that looks like a number or a boolean needs " +
		"quotes; a field without a value is to be removed."},
	{ID: CodeMissing, Title: "missing field", Doc: "The field is required."},
	{ID: CodeEnum, Title: "value not allowed", Doc: "The field has a fixed set of values."},
	{ID: CodeRange, Title: "number out of range", Doc: "The number is below the least or above the most that the field allows."},
	{ID: CodeLength, Title: "wrong length", Doc: "A text or a list is shorter or longer than the field allows."},
	{ID: CodeForm, Title: "wrong form", Doc: "A text does not have the form that the field demands."},
	{ID: CodeScope, Title: "namespace", Doc: "A TrafficPolicy needs the namespace of its service, written out; a ClusterSet has none."},
	{ID: CodeDefinition, Title: "invalid document", Doc: "The document is not what its CUE definition demands, and no other check says why. That is a fault of " +
		"Fairlead; please report it."},
	{ID: CodeUnreachable, Title: "unreachable rule", Doc: "The first rule that matches a request is used. A rule without matches takes every request, so only " +
		"the last one has none."},
	{ID: CodeNoDefault, Title: "no default rule", Doc: "Every request must match some rule, so the last rule has no matches."},
	{ID: CodeEmptyMatch, Title: "empty match", Doc: "A match without a path, headers or methods would match every request. Leave matches out to say so."},
	{ID: CodeOnePath, Title: "exact or prefix", Doc: "A path match has exactly one of exact and prefix."},
	{ID: CodeSlash, Title: "path without slash", Doc: "The path of a request begins with a slash."},
	{ID: CodeHeaderName, Title: "header name", Doc: "The name of a header is a token by RFC 9110, section 5.1."},
	{ID: CodeMatchesNeedRequests, Title: "matches without requests", Doc: "Paths, headers and methods are of requests: at least one governed port must speak http or grpc."},
	{ID: CodeNoWeight, Title: "no weight", Doc: "Weights are relative to their sum within a priority, so one of them must be above zero."},
	{ID: CodeTries, Title: "try longer than request", Doc: "The timeout of a rule holds for the request with all its retries, so one try cannot take longer."},
	{ID: CodeNoCluster, Title: "no cluster chosen", Doc: "exports.from and imports.to choose clusters by name or by label. Leave them out to have the default."},
	{ID: CodeTwice, Title: "given twice", Doc: "An entry of a list stands twice."},
	{ID: CodeIstioBlock, Title: "istio undescribed", Doc: "A cluster whose eastWest provider is istio needs to say what its mesh is like; \"istio: {}\" takes the " +
		"defaults."},
	{ID: CodeMTU, Title: "impossible MTU", Doc: "An MTU is auto, or from 1280 (RFC 8200) to 9000 bytes."},
	{ID: CodeLabel, Title: "label", Doc: "A key or a value is not what Kubernetes allows for labels."},
	{ID: CodeSameBackend, Title: "same backend twice", Doc: "Two backends of a rule are the same pods: same cluster, same labels. One has one weight and one " +
		"priority."},
	{ID: CodeDuration, Title: "duration", Doc: "A length of time is zero or cannot be represented."},
	{ID: CodeAddress, Title: "address", Doc: "An IP address or CIDR cannot be read, is not written in its shortest form, or cannot be reached from " +
		"another cluster."},
	{ID: CodeIPv6, Title: "IPv6", Doc: "Tunnels carry only IPv4 so far."},
	{ID: CodeGlobalCIDR, Title: "globalCIDR outside", Doc: "The globalCIDR of a cluster is a part of addresses.global."},
	{ID: CodeSameName, Title: "same name", Doc: "Two documents have the same kind, namespace and name."},
}

// Codes returns every code once, in the order of the numbers.
func Codes() []Code { return slices.Clone(table) }

// Lookup returns the description of a code, and false where there is none.
func Lookup(id string) (Code, bool) {
	i, found := slices.BinarySearchFunc(table, id, func(c Code, id string) int { return cmp.Compare(c.ID, id) })
	if !found {
		return Code{}, false
	}
	return table[i], true
}
