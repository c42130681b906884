// SPDX-License-Identifier: Apache-2.0

package diag

// The codes of what a file's bytes and its YAML can get wrong.
const (
	CodeUnreadable   = "FL1001"
	CodeNotText      = "FL1002"
	CodeTooLarge     = "FL1003"
	CodeSyntax       = "FL1004"
	CodeDuplicateKey = "FL1005"
	CodeAlias        = "FL1006"
	CodeTooDeep      = "FL1007"
	CodeTag          = "FL1008"
	CodeNotAMapping  = "FL1009"
	CodeNoDocuments  = "FL1010"
	CodeSymlink      = "FL1011"
)

// The codes of the shape of a document: its kind, its fields and their values.
const (
	CodeAPIVersion   = "FL1101"
	CodeKind         = "FL1102"
	CodeWrittenByUs  = "FL1103"
	CodeStatus       = "FL1104"
	CodeUnknownField = "FL1105"
	CodeType         = "FL1106"
	CodeMissing      = "FL1107"
	CodeEnum         = "FL1108"
	CodeRange        = "FL1109"
	CodeLength       = "FL1110"
	CodeForm         = "FL1111"
	CodeScope        = "FL1112"
	CodeDefinition   = "FL1113"
)

// The codes of the rules of one document.
const (
	CodeUnreachable     = "FL1201"
	CodeNoDefault       = "FL1202"
	CodeEmptyMatch      = "FL1203"
	CodeOneOf           = "FL1204"
	CodeSlash           = "FL1205"
	CodeHeaderName      = "FL1206"
	CodeNeedsRequests   = "FL1207"
	CodeNoWeight        = "FL1208"
	CodeTries           = "FL1209"
	CodeNoCluster       = "FL1210"
	CodeTwice           = "FL1211"
	CodeAnswered        = "FL1212"
	CodeNothing         = "FL1213"
	CodePrefix          = "FL1214"
	CodeRedirectStatus  = "FL1215"
	CodeReservedHeader  = "FL1216"
	CodeHeaderValue     = "FL1217"
	CodeRegex           = "FL1218"
	CodeNeedsGRPC       = "FL1219"
	CodeIstioBlock      = "FL1220"
	CodeMTU             = "FL1221"
	CodeOrigin          = "FL1222"
	CodeCredentials     = "FL1223"
	CodeMirrorShare     = "FL1224"
	CodeHostnames       = "FL1225"
	CodeSourceAtGateway = "FL1226"
	CodeSlowStart       = "FL1227"
	CodeServiceAccounts = "FL1228"
	CodeAccessRegex     = "FL1229"
	CodeLabel           = "FL1230"
	CodeSameBackend     = "FL1231"
	CodeDuration        = "FL1232"
	CodeAddress         = "FL1233"
	CodeIPv6            = "FL1234"
	CodeGlobalCIDR      = "FL1235"
	CodeTopology        = "FL1237"
	CodeStages          = "FL1238"
	CodeTenantPath      = "FL1239"
	CodeControlPlane    = "FL1240"
	CodeMeshNetwork     = "FL1241"
	CodeAmbient         = "FL1242"
	CodeIstioUnused     = "FL1243"
	CodeNoSuchCluster   = "FL1244"
	CodeDomain          = "FL1245"
	CodeNoBody          = "FL1246"
	CodeAuthority       = "FL1247"
	CodePorts           = "FL1248"
	CodeNothingTested   = "FL1280"
	CodeSharesOfNothing = "FL1281"
	CodeTooMuch         = "FL1282"
	CodeOutsideLabels   = "FL1283"
)

// The codes of several documents that belong to this stage. The others of
// FL13xx are about what documents say to each other.
const (
	CodeSameName = "FL1300"
)
