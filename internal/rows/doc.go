// Package rows computes a dense net over a picture without end, row by row: each
// row of each layer is computed once.
//
// A dense net is the same everywhere along the picture, so a strip of new rows and
// the few rows before it that a layer still needs give the strip of its output.
// Read sees a dense .tflite as such layers and finds for each how far its rows lag
// behind the picture's; emit writes the graph of one strip, in which those kept rows
// are inputs and outputs more. That graph is an ordinary .tflite: an engine plans it
// as any other. A Stream runs it on strip after strip and hands on the kept rows.
package rows

import "fmt"

// Refusal says why a net cannot be computed row by row.
type Refusal struct {
	Op     string // the operator's name, empty: the net as a whole
	Index  int    // the operator's
	Reason string
}

func (r *Refusal) Error() string {
	if r.Op == "" {
		return "rows: " + r.Reason
	}
	return fmt.Sprintf("rows: operator %d (%s) %s", r.Index, r.Op, r.Reason)
}
