//go:build tflite && cgo && !linux

package tflite

// quiet does nothing where C's standard error cannot be replaced.
func quiet() {}
