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

// The codes of the rules of one document. Those up to FL1229 are the ones
// of schemas/v1alpha1/rules.cue.
const (
	CodeUnreachable         = "FL1201"
	CodeNoDefault           = "FL1202"
	CodeEmptyMatch          = "FL1203"
	CodeOnePath             = "FL1204"
	CodeSlash               = "FL1205"
	CodeHeaderName          = "FL1206"
	CodeMatchesNeedRequests = "FL1207"
	CodeNoWeight            = "FL1208"
	CodeTries               = "FL1209"
	CodeNoCluster           = "FL1210"
	CodeTwice               = "FL1211"
	CodeIstioBlock          = "FL1220"
	CodeMTU                 = "FL1221"
	CodeLabel               = "FL1230"
	CodeSameBackend         = "FL1231"
	CodeDuration            = "FL1232"
	CodeAddress             = "FL1233"
	CodeIPv6                = "FL1234"
	CodeGlobalCIDR          = "FL1235"
)

// The codes of several documents that belong to this stage. The others of
// FL13xx are about what documents say to each other.
const (
	CodeSameName = "FL1300"
)
