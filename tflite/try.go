package tflite

import (
	"fmt"

	"edged"
)

// Try loads a model, runs it once on zeros and closes it. A fault in C ends
// the process and not the call: whoever takes on an unknown model calls Try in
// a child process first.
func Try(file []byte, o edged.Options) error { return try(Open, file, o) }

// TryBuiltin is Try with the builtin kernels alone.
func TryBuiltin(file []byte, o edged.Options) error { return try(OpenBuiltin, file, o) }

func try(open edged.Opener, file []byte, o edged.Options) error {
	e, err := open(file, o)
	if err != nil {
		return err
	}
	defer e.Close()
	for i := range e.Inputs() {
		clear(e.Input(i))
	}
	if err := e.Run(); err != nil {
		return err
	}
	for i, s := range e.Outputs() {
		if got := len(e.Output(i)); got != s.Bytes() {
			return fmt.Errorf("tflite: output %s: %d bytes, want %d", s, got, s.Bytes())
		}
	}
	return nil
}
