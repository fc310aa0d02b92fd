//go:build !(tflite && cgo && linux)

package tflite

import "os"

// ReportFaults does nothing where the library is not linked.
func ReportFaults(*os.File) error { return nil }
