// Package schema holds a JSON Schema (draft 2020-12) for every payload of the
// MQTT interface. The payloads of status and enabled are text, not JSON: their
// schemas hold for that text taken as a string. Masks, overlays and snapshots
// are pictures.
package schema

import "embed"

// Files are the schemas, one file for each kind of payload: result.json,
// event.json, info.json, stats.json, request.json, response.json, status.json,
// enabled.json and zones.json.
//
//go:embed *.json
var Files embed.FS
