package model

import (
	"errors"
	"fmt"
)

// MalformedError says that a file is no valid .tflite: cut off, damaged or
// hostile. Path leads to the place, as in "subgraphs[0].tensors[3].shape".
type MalformedError struct{ Path, Problem string }

func (e *MalformedError) Error() string { return describe("malformed model", e.Path, e.Problem) }

// UnsupportedError says that a file may well be valid, but holds something
// that this package does not know and so cannot carry over.
type UnsupportedError struct{ Path, Problem string }

func (e *UnsupportedError) Error() string { return describe("unsupported model", e.Path, e.Problem) }

func describe(what, path, problem string) string {
	if path == "" {
		return fmt.Sprintf("model: %s: %s", what, problem)
	}
	return fmt.Sprintf("model: %s: %s: %s", what, path, problem)
}

func malformed(format string, args ...any) error {
	return &MalformedError{Problem: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &UnsupportedError{Problem: fmt.Sprintf(format, args...)}
}

// under puts a step in front of an error's path on its way up.
func under(step string, err error) error {
	join := func(path string) string {
		switch {
		case path == "":
			return step
		case path[0] == '[':
			return step + path
		}
		return step + "." + path
	}
	var bad *MalformedError
	var unknown *UnsupportedError
	switch {
	case errors.As(err, &bad):
		return &MalformedError{join(bad.Path), bad.Problem}
	case errors.As(err, &unknown):
		return &UnsupportedError{join(unknown.Path), unknown.Problem}
	}
	return err
}

func underIndex(i int, err error) error { return under(fmt.Sprintf("[%d]", i), err) }
