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
}

// table has every code once, in the order of the numbers.
var table = []Code{
	{CodeUnreadable, "unreadable file", "A file or directory could not be read from the source at all. Check that it exists and that it may " +
		"be read."},
	{CodeNotText, "not text", "A file that ends in .yaml or .yml has bytes that no UTF-8 text has. Save it as UTF-8, or give it " +
		"another ending."},
	{CodeTooLarge, "file too large", "A file with Fairlead documents may have 1 MiB, and no file that ends in .yaml or .yml may have more " +
		"than 8 MiB, so that a mistake cannot exhaust the reader. Split the file, or move it out of the " +
		"directory that Fairlead reads."},
	{CodeSyntax, "broken YAML", "The text is not YAML from this line on. The other documents of the file are checked all the same. " +
		"Text with {{ in it that does not speak of fairlead.dev is taken for somebody else's template and " +
		"left alone."},
	{CodeDuplicateKey, "duplicate key", "A key stands twice in one mapping; YAML readers differ in which one they take. Keep one."},
	{CodeAlias, "alias or merge key", "Aliases (*name) and merge keys (<<) are not read in Fairlead documents, because a reviewer must see " +
		"a value where it counts; and nobody's document may have aliases that stand for more than a million " +
		"values. Write the value out."},
	{CodeTooDeep, "nested too deeply", "No field of Fairlead's is that deep; usually the indentation went wrong."},
	{CodeTag, "YAML tag", "A value has a YAML tag that JSON has no type for. Remove it."},
	{CodeNotAMapping, "not one document", "What was meant to be Fairlead's is inside a list, a List or a text. Write each document by itself, " +
		"with a line --- between two."},
	{CodeNoDocuments, "no documents", "No file has a document whose apiVersion is of the group fairlead.dev. An empty source would remove " +
		"everything from the clusters, so it is taken for a mistake."},
	{CodeSymlink, "symbolic link", "Symbolic links are not followed, because they can point out of the repository. A warning; put the " +
		"file itself there."},
	{CodeAPIVersion, "unknown apiVersion", "The group or the version of a document is nearly, but not quite, Fairlead's. Write " +
		"fairlead.dev/v1alpha1."},
	{CodeKind, "unknown kind", "People write TrafficPolicy and ClusterSet."},
	{CodeWrittenByUs, "kind that Fairlead writes", "Dataplane, NodeState, ServiceRoute and AppliedBundle are results. Remove the document from the " +
		"repository."},
	{CodeStatus, "status in git", "The status of an object is what became of it in a cluster. Remove it."},
	{CodeUnknownField, "unknown field", "There is no field of this name here. Nothing is ever ignored in silence."},
	{CodeType, "wrong type", "The value is of another type than the field. Text that looks like a number or a boolean needs " +
		"quotes; a field without a value is to be removed."},
	{CodeMissing, "missing field", "The field is required."},
	{CodeEnum, "value not allowed", "The field has a fixed set of values."},
	{CodeRange, "number out of range", "The number is below the least or above the most that the field allows."},
	{CodeLength, "wrong length", "A text or a list is shorter or longer than the field allows."},
	{CodeForm, "wrong form", "A text does not have the form that the field demands."},
	{CodeScope, "namespace", "A TrafficPolicy needs the namespace of its service, written out; a ClusterSet has none."},
	{CodeDefinition, "invalid document", "The document is not what its CUE definition demands, and no other check says why. That is a fault of " +
		"Fairlead; please report it."},
	{CodeUnreachable, "unreachable rule", "The first rule that matches a request is used. A rule without matches takes every request, so only " +
		"the last one has none."},
	{CodeNoDefault, "no default rule", "Every request must match some rule, so the last rule has no matches."},
	{CodeEmptyMatch, "empty match", "A match without a path, headers or methods would match every request. Leave matches out to say so."},
	{CodeOnePath, "exact or prefix", "A path match has exactly one of exact and prefix."},
	{CodeSlash, "path without slash", "The path of a request begins with a slash."},
	{CodeHeaderName, "header name", "The name of a header is a token by RFC 9110, section 5.1."},
	{CodeMatchesNeedRequests, "matches without requests", "Paths, headers and methods are of requests: at least one governed port must speak http or grpc."},
	{CodeNoWeight, "no weight", "Weights are relative to their sum within a priority, so one of them must be above zero."},
	{CodeTries, "try longer than request", "The timeout of a rule holds for the request with all its retries, so one try cannot take longer."},
	{CodeNoCluster, "no cluster chosen", "exports.from and imports.to choose clusters by name or by label. Leave them out to have the default."},
	{CodeTwice, "given twice", "An entry of a list stands twice."},
	{CodeIstioBlock, "istio undescribed", "A cluster whose eastWest provider is istio needs to say what its mesh is like; \"istio: {}\" takes the " +
		"defaults."},
	{CodeMTU, "impossible MTU", "An MTU is auto, or from 1280 (RFC 8200) to 9000 bytes."},
	{CodeLabel, "label", "A key or a value is not what Kubernetes allows for labels."},
	{CodeSameBackend, "same backend twice", "Two backends of a rule are the same pods: same cluster, same labels. One has one weight and one " +
		"priority."},
	{CodeDuration, "duration", "A length of time is zero or cannot be represented."},
	{CodeAddress, "address", "An IP address or CIDR cannot be read, is not written in its shortest form, or cannot be reached from " +
		"another cluster."},
	{CodeIPv6, "IPv6", "Tunnels carry only IPv4 so far."},
	{CodeGlobalCIDR, "globalCIDR outside", "The globalCIDR of a cluster is a part of addresses.global."},
	{CodeSameName, "same name", "Two documents have the same kind, namespace and name."},
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
