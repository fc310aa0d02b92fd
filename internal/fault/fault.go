// Package fault is what is wrong with one key of a configuration, told by the
// room that the key is for: whoever has read the file can put it at its place.
package fault

import (
	"errors"
	"fmt"
)

// Field is a fault of one key.
type Field struct {
	Room    string // the package that found it; empty: none is named
	Key     string // as a file spells it, for example queue_bytes
	Problem error  // what is wrong and what would help
}

// Newf is a fault of a key; %w works.
func Newf(room, key, format string, args ...any) error {
	return &Field{room, key, fmt.Errorf(format, args...)}
}

// Error is the problem behind the name of the room.
func (f *Field) Error() string {
	if f.Room == "" {
		return f.Problem.Error()
	}
	return f.Room + ": " + f.Problem.Error()
}

// Unwrap gives the problem.
func (f *Field) Unwrap() error { return f.Problem }

// In is err as the fault of a room; an error that is no Field, and nil, stay.
func In(room string, err error) error {
	var f *Field
	if !errors.As(err, &f) {
		return err
	}
	return &Field{room, f.Key, f.Problem}
}

// At is err as the fault of another key; an error that is no Field, and nil, stay.
func At(key string, err error) error {
	var f *Field
	if !errors.As(err, &f) {
		return err
	}
	return &Field{f.Room, key, f.Problem}
}

// All lists the faults that errors.Join has joined. An error that is no Field
// has no key.
func All(err error) []*Field {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Field
		for _, e := range joined.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	var f *Field
	if errors.As(err, &f) {
		return []*Field{f}
	}
	return []*Field{{Problem: err}}
}
