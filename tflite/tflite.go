// Package tflite is the Engine over TensorFlow Lite's C library, through
// github.com/mattn/go-tflite: every C object's life, the XNNPACK delegate, and
// refusals that name the operator at fault.
//
// It is linked by the build tag tflite (with cgo). Without it Open and
// OpenBuiltin fail with an error that names the tag, and Linked is false.
package tflite

import "edged"

// The names of the two kernel sets as Engine.Name tells them.
const (
	version     = "2.9.0"
	nameXNNPACK = "tflite " + version + " xnnpack"
	nameBuiltin = "tflite " + version + " builtin"
)

var (
	_ edged.Opener = Open
	_ edged.Opener = OpenBuiltin
)
