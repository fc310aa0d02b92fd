//go:build tflite

package audit_test

import (
	"edged"
	"edged/fallback"
	"edged/tflite"
)

var allEngines = map[string]edged.Opener{"go": fallback.Open, "tflite": tflite.Open, "tflite-builtin": tflite.OpenBuiltin}
