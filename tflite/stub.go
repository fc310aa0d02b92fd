//go:build !tflite || !cgo

package tflite

import (
	"errors"

	"edged"
)

var errNotLinked = errors.New("tflite: library not linked into this binary: " +
	"build with cgo and the tag tflite (make build does), or use the engine go")

// Linked tells whether TensorFlow Lite is part of this binary.
func Linked() bool { return false }

// Open fails: TensorFlow Lite is not part of this binary.
func Open([]byte, edged.Options) (edged.Engine, error) { return nil, errNotLinked }

// OpenBuiltin fails: TensorFlow Lite is not part of this binary.
func OpenBuiltin([]byte, edged.Options) (edged.Engine, error) { return nil, errNotLinked }

// OpenExternal fails: TensorFlow Lite is not part of this binary.
func OpenExternal(string) edged.Opener {
	return func([]byte, edged.Options) (edged.Engine, error) { return nil, errNotLinked }
}
