package model

import (
	"fmt"
	"slices"
	"strings"
)

// Unknown is content of a file that is newer than this package: a field
// without a name here, or options of a kind without a type. It is not carried.
type Unknown struct {
	Table string // "Operator"; for options, the union: "BuiltinOptions"
	What  string // "field 14", "kind 130"
	Path  string // of the first place: "subgraphs[0].operators[2]"
	Count int    // places
}

func (u Unknown) String() string {
	at := ""
	if u.Path != "" {
		at = " (at " + u.Path
		if u.Count > 1 {
			at += fmt.Sprintf(" and %d more", u.Count-1)
		}
		at += ")"
	}
	return fmt.Sprintf("%s of %s%s is newer than this edged", u.What, u.Table, at)
}

// UnknownOptions stands for a union's member that is newer than this package.
// No code takes it for options that it knows, and Write refuses it.
type UnknownOptions struct{ Kind uint8 }

func (u *UnknownOptions) err() error {
	return unsupported("options of kind %d, which is newer than this edged", u.Kind)
}

// Blocks names the way in which t's scales lie in other tensors or in a form
// newer than this package, empty where Quantization's own fields say all.
func (t *Tensor) Blocks() string {
	if t.Quantization == nil {
		return ""
	}
	switch d := t.Quantization.Details.(type) {
	case *BlockwiseQuantization:
		return "blockwise quantisation"
	case *MultiAxisQuantization:
		return "quantisation along several dimensions"
	case *UnknownOptions:
		return fmt.Sprintf("quantisation of kind %d, which is newer than this edged", d.Kind)
	}
	return ""
}

// aboutModel are the tables that describe a model to people and programs. What
// they say has no part in a result.
var aboutModel = []string{"Metadata", "TensorMap", "SignatureDef"}

// Meaning tells whether the content may have a part in what the model
// computes. A field's number does not say what it is for, so only the tables
// that nothing is computed from are known to have none.
func (u Unknown) Meaning() bool { return !slices.Contains(aboutModel, u.Table) }

// Rewritable is nil where a model with other operators can stand for m: nothing
// that may have a part in its results is unknown. The error names what is.
func (m *Model) Rewritable() error {
	for _, u := range m.Unknown {
		if u.Meaning() {
			return unsupported("%s, and may have a part in the result", u)
		}
	}
	return nil
}

// Remarks is what a user of the file should know of how it was read: a line
// for all that is unknown, and one for all repairs.
func (m *Model) Remarks() []string {
	var lines []string
	if len(m.Unknown) > 0 {
		var all []string
		for _, u := range m.Unknown {
			all = append(all, u.String())
		}
		lines = append(lines, strings.Join(all, "; ")+": read without it")
	}
	if len(m.Repairs) > 0 {
		lines = append(lines, "repaired while reading: "+strings.Join(m.Repairs, "; "))
	}
	return lines
}

// step is one step of the path to a table; index is -1 outside of lists.
type step struct {
	name  string
	index int
}

// maxUnknown bounds the list of what is unknown: a hostile vtable may name
// 32,000 fields.
const maxUnknown = 16

// note records content of the table at hand that has no name here.
func (d *decoder) note(table, what string) {
	i := slices.IndexFunc(d.unknown, func(u Unknown) bool { return u.Table == table && u.What == what })
	switch {
	case i >= 0:
		d.unknown[i].Count++
	case len(d.unknown) < maxUnknown:
		d.unknown = append(d.unknown, Unknown{table, what, d.place(), 1})
	}
}

// place is the path to the table at hand, as errors give it.
func (d *decoder) place() string {
	var s strings.Builder
	for i, p := range d.path {
		if i > 0 {
			s.WriteByte('.')
		}
		s.WriteString(p.name)
		if p.index >= 0 {
			fmt.Fprintf(&s, "[%d]", p.index)
		}
	}
	return s.String()
}
