// Package nets holds the bundled baselines: patch classifiers for test:belt that
// `go run -tags tflite ./train` made. CARD.md beside it says how and how good.
package nets

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.tflite
var files embed.FS

// The bundled nets. Valid is built like the nets that factories have (strided max
// pools, no padding), Same like a small ResNet.
const (
	Valid     = "belt_valid.tflite"
	ValidInt8 = "belt_valid_int8.tflite"
	Same      = "belt_same.tflite"
	SameInt8  = "belt_same_int8.tflite"
)

// Names lists them.
func Names() []string { return []string{Valid, ValidInt8, Same, SameInt8} }

// Read gives the bytes of one, a copy of the caller's own.
func Read(name string) ([]byte, error) {
	b, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("nets: no bundled net %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return b, nil
}
