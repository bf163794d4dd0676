package schema

import (
	"embed"
	"slices"
	"strings"
)

//go:embed jsonschema/*.json
var jsonSchemas embed.FS

// JSONSchemaKinds are the kinds of file that have a JSON Schema, sorted: the
// folders' names, and the stems of infra.yaml and revoked.yaml.
func JSONSchemaKinds() []string {
	kinds := append(folderNames(), stem(settingsPath), stem(revokedPath))
	slices.Sort(kinds)
	return kinds
}

// JSONSchema is the JSON Schema (draft 2020-12) of a kind of file, for editors:
// its $id is https://infrahq.com/schema/v1/<kind>.json. It says less than Load
// does: nothing of other files, of how YAML is written, or of what numbers and
// names mean to each other.
func JSONSchema(kind string) ([]byte, bool) {
	if strings.Contains(kind, "/") {
		return nil, false
	}
	data, err := jsonSchemas.ReadFile("jsonschema/" + kind + ".json")
	return data, err == nil
}
