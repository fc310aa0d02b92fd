//go:build !tflite

package audit_test

import (
	"edged"
	"edged/fallback"
)

var allEngines = map[string]edged.Opener{"go": fallback.Open}
