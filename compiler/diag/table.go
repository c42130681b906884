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
	{ID: CodeEmptyMatch, Title: "empty match", Doc: "A match or a source without a condition would match every request. Leave it out to say so."},
	{ID: CodeOneOf, Title: "one of several", Doc: "Some fields exclude each other: a path is exact, a prefix or a regex, a frontend is the mesh or a gateway. " +
		"Write exactly one of them; of http, grpc and tcp in a health check at most one."},
	{ID: CodeSlash, Title: "path", Doc: "A path begins with a slash and has neither a query nor a fragment (RFC 3986, section 3.3)."},
	{ID: CodeHeaderName, Title: "header or cookie name", Doc: "The name of a header is a token by RFC 9110, section 5.1; so is that of a cookie by RFC 6265. The names " +
		"that begin with a colon in HTTP/2 are no headers: the policy has fields for what they say."},
	{ID: CodeNeedsRequests, Title: "requests on a connection", Doc: "Paths, headers, redirects, retries and the like are of requests: at least one governed port must speak http or " +
		"grpc. Of a port with protocol tls a gateway can match the authority alone, which is the server name that " +
		"the client asks for."},
	{ID: CodeNoWeight, Title: "no weight", Doc: "Weights are relative to their sum within a priority, so one of them must be above zero."},
	{ID: CodeTries, Title: "try longer than request", Doc: "The timeout of a rule holds for the request with all its retries, so one try cannot take longer; and a " +
		"health check ends before the next one begins."},
	{ID: CodeNoCluster, Title: "no cluster chosen", Doc: "exports.from, imports.to and a group choose clusters by name or by label. Leave exports and imports out to " +
		"have the default."},
	{ID: CodeTwice, Title: "given twice", Doc: "An entry of a list stands twice."},
	{ID: CodeAnswered, Title: "answered at once", Doc: "A rule with redirect or directResponse sends nothing on, so it has no backends and nothing that says how " +
		"they are asked."},
	{ID: CodeNothing, Title: "changes nothing", Doc: "A block is there and says nothing: a redirect to where the request was, a rewrite or a change of headers " +
		"without a change, faults without a fault, a mirror without copies. Usually a line is missing."},
	{ID: CodePrefix, Title: "no prefix to replace", Doc: "path.prefix of a redirect or a rewrite replaces the prefix that a match has found, so every match of the rule " +
		"has a path prefix."},
	{ID: CodeRedirectStatus, Title: "status of a redirect", Doc: "The answers that make a client ask elsewhere are 301, 302, 303, 307 and 308 (RFC 9110, section 15.4)."},
	{ID: CodeReservedHeader, Title: "header that is not the policy's", Doc: "The header host is the authority, for which matches and rewrites have fields. Headers of one connection (RFC " +
		"9110, section 7.6.1) are written by each proxy for itself."},
	{ID: CodeHeaderValue, Title: "header value", Doc: "The value of a header has no line breaks and no other control characters (RFC 9110, section 5.5), and is " +
		"not empty where it is set: proxies differ in what they make of that."},
	{ID: CodeRegex, Title: "regular expression", Doc: "Expressions have RE2 syntax, because every proxy takes it and its time is bounded; it has no lookaround and no " +
		"backreferences."},
	{ID: CodeNeedsGRPC, Title: "gRPC status without gRPC", Doc: "Only a caller that speaks gRPC understands a gRPC status."},
	{ID: CodeIstioBlock, Title: "istio undescribed", Doc: "A cluster whose eastWest provider is istio needs to say what its mesh is like; \"istio: {}\" takes the " +
		"defaults."},
	{ID: CodeMTU, Title: "impossible MTU", Doc: "An MTU is auto, or from 1280 (RFC 8200) to 9000 bytes."},
	{ID: CodeOrigin, Title: "origin", Doc: "An origin is a scheme, a host and perhaps a port, as the browser sends it in the header Origin (RFC 6454); " +
		"\"*\" is every one."},
	{ID: CodeCredentials, Title: "credentials for everyone", Doc: "With allowCredentials a browser takes no \"*\", neither as an origin nor among headers (the Fetch standard, CORS " +
		"protocol and credentials). Name what is allowed."},
	{ID: CodeMirrorShare, Title: "share of a copy", Doc: "The backend of a mirror gets copies beside the shares of the rule, so weight and priority mean nothing there."},
	{ID: CodeHostnames, Title: "hostnames", Doc: "A frontend at a gateway needs the hostnames that are the policy's; one in the mesh has none, because the " +
		"service has names of its own. A name that is put in place of another is one name, without \"*\"."},
	{ID: CodeSourceAtGateway, Title: "source at a gateway", Doc: "source is the caller's namespace and labels. A gateway stands between, so that only the mesh can tell."},
	{ID: CodeSlowStart, Title: "slow start", Doc: "A new endpoint can get less only where endpoints are chosen in turn or by load, not at random."},
	{ID: CodeServiceAccounts, Title: "whose service accounts", Doc: "A service account is of one namespace. serviceAccounts beside namespaces lets in the accounts of these names " +
		"in each of these namespaces; without namespaces it would let in strangers."},
	{ID: CodeAccessRegex, Title: "access by expression", Doc: "Who may call is decided by exact paths and prefixes alone; every provider reads those in the same way."},
	{ID: CodeLabel, Title: "label", Doc: "A key or a value is not what Kubernetes allows for labels."},
	{ID: CodeSameBackend, Title: "same backend twice", Doc: "Two backends of a rule are the same pods: same cluster, same labels. One has one weight and one " +
		"priority."},
	{ID: CodeDuration, Title: "duration", Doc: "A length of time is zero or cannot be represented."},
	{ID: CodeAddress, Title: "address", Doc: "An IP address or CIDR cannot be read, is not written in its shortest form, or cannot be reached from " +
		"another cluster."},
	{ID: CodeIPv6, Title: "IPv6", Doc: "Fairlead's tunnels carry only IPv4 so far. A cluster whose tunnel provider is none may have IPv6 ranges; the addresses " +
		"of gateways, global CIDRs and the ranges that they are allotted from are IPv4."},
	{ID: CodeGlobalCIDR, Title: "globalCIDR outside", Doc: "The globalCIDR of a cluster is a part of addresses.global."},
	{ID: CodeTopology, Title: "topology", Doc: "hubAndSpoke needs hubs and groups needs groups; elsewhere they would have no effect."},
	{ID: CodeStages, Title: "stages", Doc: "Every cluster is in exactly one stage. A stage without clusters takes all that no other has, and is the last."},
	{ID: CodeTenantPath, Title: "tenant's path", Doc: "A tenant's path is a directory from the root of the repository, in its shortest form and with a slash at " +
		"its end, so that one tenant's name is never the beginning of another's."},
	{ID: CodeControlPlane, Title: "control plane", Doc: "istio.controlPlane names a cluster of the set that has eastWest: istio, has an istiod of its own and stays in " +
		"the set. What holds for the whole mesh is written there."},
	{ID: CodeMeshNetwork, Title: "network of two meshes", Doc: "Pods of one network call each other without a gateway. Only an istiod that knows both clusters can tell them " +
		"where the others are, so clusters that share a network share a control plane."},
	{ID: CodeAmbient, Title: "ambient mesh", Doc: "In ambient mode calls pass through ztunnel and waypoints, which take neither the ServiceEntry endpoints nor " +
		"the DestinationRule subsets that carry a policy between clusters. Only sidecars do."},
	{ID: CodeIstioUnused, Title: "istio unused", Doc: "A cluster has an istio block, but istio is neither its east-west nor its north-south provider."},
	{ID: CodeNoSuchCluster, Title: "no such cluster", Doc: "A list of the ClusterSet names a cluster that the set does not have, or labels that no cluster has."},
	{ID: CodeDomain, Title: "domain of the set", Doc: "cluster.local is what every cluster calls its own services, which differ from cluster to cluster. Shared " +
		"services need a domain of their own."},
	{ID: CodeNoBody, Title: "body where none may be", Doc: "Answers with status 204, 205 and 304 end with their headers (RFC 9110); clients would take a body for the next " +
		"answer."},
	{ID: CodeAuthority, Title: "authority", Doc: "authority is the name that was asked for, without the port and in lower case. An exact one with anything else in " +
		"it matches no request."},
	{ID: CodePorts, Title: "ports of a gateway", Doc: "The ports of a gateway are one, or a range of at most 64 from the lower to the higher. Ports are 1 to 65535."},
	{ID: CodeNothingTested, Title: "nothing is tested", Doc: "A TrafficTest has cases, loads, or both."},
	{ID: CodeSharesOfNothing, Title: "shares of nothing", Doc: "Only requests that are served have shares: an expectation of another verdict has none."},
	{ID: CodeTooMuch, Title: "more than everything", Doc: "The shares of one expectation are parts of the same requests, so they add up to at most 100%."},
	{ID: CodeOutsideLabels, Title: "labels from outside", Doc: "A caller in a TrafficTest with a gateway is somebody outside, who has no labels: labels are of a pod. Name a workload, or remove the labels."},
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
