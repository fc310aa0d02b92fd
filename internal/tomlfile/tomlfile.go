// Package tomlfile reads a TOML file into Go structs and tells every fault it
// finds with its line and column: unknown keys, with the nearest known one,
// and values of the wrong type, all in one go. Checks that come later can ask
// it where a key stands. The syntax is go-toml's.
package tomlfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
)

// Fault is one thing that is wrong in a file.
type Fault struct {
	Line, Column int // from 1; 0 where the fault has no place
	Text         string
	Refused      error // by the system, where that is what is wrong: another try may work
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.Text
	}
	return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Text)
}

// File knows where the keys of a file stand and which faults were found in it.
type File struct {
	name   string
	read   bool                // the syntax is sound
	at     map[string]position // of each key path
	faults []Fault
}

type position struct{ line, column int }

// Decode reads data into dst, a pointer to a struct with toml tags. Faults are
// kept in the File; dst holds what was sound. name is for messages alone.
//
// The fields may be strings, booleans, integers, floats, slices and structs of
// these, pointers to them, and types with UnmarshalText.
func Decode(name string, data []byte, dst any) *File {
	f := &File{name: name, at: map[string]position{}}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		f.addSyntax(err)
		return f
	}
	f.read = true
	f.index(data)
	f.fill(tree, dst)
	return f
}

func (f *File) addSyntax(err error) {
	var d *toml.DecodeError
	if !errors.As(err, &d) {
		f.faults = append(f.faults, Fault{Text: err.Error()})
		return
	}
	line, column := d.Position()
	f.faults = append(f.faults, Fault{Line: line, Column: column, Text: strings.TrimPrefix(d.Error(), "toml: ")})
}

// Addf notes a fault at the key path, for example "camera[1].rotate": where
// the key is missing, at the nearest table around it.
func (f *File) Addf(path, format string, args ...any) {
	fault := Fault{Text: fmt.Sprintf(format, args...), Refused: refusal(args)}
	for p := path; p != ""; p = parent(p) {
		if at, ok := f.at[p]; ok {
			fault.Line, fault.Column = at.line, at.column
			break
		}
	}
	f.faults = append(f.faults, fault)
}

// refusal is what the system has refused, nil where none of args is that.
func refusal(args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok && errors.As(err, new(syscall.Errno)) {
			return err
		}
	}
	return nil
}

// parent is the path of what holds path: "a.b[0]" -> "a.b" -> "a" -> "".
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// Read tells whether the syntax was sound, so that there were keys to look at.
func (f *File) Read() bool { return f.read }

// Has tells whether the file sets the key path.
func (f *File) Has(path string) bool {
	_, ok := f.at[path]
	return ok
}

// Faults lists what was found, in the order of the file.
func (f *File) Faults() []Fault {
	sorted := slices.Clone(f.faults)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return sorted
}

// Err is nil, or all faults in one error: one line each, with the file's name.
// Where every one of them is something that the system has refused, the error
// holds the first such.
func (f *File) Err() error {
	if len(f.faults) == 0 {
		return nil
	}
	var lines []string
	for _, fault := range f.Faults() {
		sep := ":"
		if fault.Line == 0 {
			sep = ": "
		}
		lines = append(lines, f.name+sep+fault.String())
	}
	text := strings.Join(lines, "\n")
	if i := slices.IndexFunc(f.faults, func(f Fault) bool { return f.Refused == nil }); i >= 0 {
		return errors.New(text)
	}
	return &refused{text, f.faults[0].Refused}
}

// refused are faults that are all the system's.
type refused struct {
	text  string
	cause error
}

func (r *refused) Error() string { return r.text }

// Unwrap gives the first cause.
func (r *refused) Unwrap() error { return r.cause }
