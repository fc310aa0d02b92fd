package main

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"edged/fallback"
	"edged/internal/atomicfile"
	"edged/model"
	"edged/rewrite"
)

func newInspectCmd() *cobra.Command {
	var svg, limit string
	var asJSON, plan bool
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show a model's operators, shapes, strides, receptive field and cost",
		Long: `inspect reads a .tflite without running it and shows, for every operator, the
shape it gives, its equivalent stride (eST: how many input pixels lie between
two neighbouring positions), and its multiplications; and for the net as a
whole the receptive field, where output position 0 is centred on the input, the
bytes of weights, and edged's manifest.

An operator behind which positions have no regular place on the input (a
decoder, a head, control flow) shows "-" for its eST.`,
		Example: `  edged inspect net.tflite
  edged inspect net.tflite --svg net.svg     the graph, coloured by eST
  edged inspect net.tflite --plan            what the Go engine would do
  edged inspect net.tflite --json | jq .macs`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, file, err := readGraph(args[0])
			if err != nil {
				return err
			}
			r := inspect(m)
			if r.manifestErr != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "edged: %s: %v\n", args[0], r.manifestErr)
			}
			if svg != "" {
				if err := atomicfile.Write(svg, drawGraph(args[0], m, r)); err != nil {
					return err
				}
			}
			if plan {
				if r.Plan, err = planOf(args[0], file); err != nil {
					return err
				}
				r.Tiles = tilesOf(m)
				if err := r.Tiles.choose(r.Plan, limit); err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			_, err = cmd.OutOrStdout().Write(r.text(args[0], len(file), m))
			return err
		},
	}
	cmd.Flags().StringVar(&svg, "svg", "", "draw the graph into `FILE`")
	cmd.Flags().BoolVar(&plan, "plan", false, "add how the Go engine would run it, pass by pass")
	cmd.Flags().StringVar(&limit, "memory-limit", "", "with --plan: what tiles may take, as node.memory_limit has it (default 2GiB)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// inspection is what inspect --json prints; pairs are y, x. What does not
// exist is null: an eST behind a decoder, the grid of a net without one.
type inspection struct {
	Inputs         []tensorInfo    `json:"inputs"`
	Outputs        []tensorInfo    `json:"outputs"`
	Operators      []operatorInfo  `json:"operators"`
	ReceptiveField *[2]int         `json:"receptive_field"`
	Stride         *[2]int         `json:"stride"`
	MACs           int64           `json:"macs"`
	WeightsBytes   int64           `json:"weights_bytes"`
	Manifest       *model.Manifest `json:"manifest"`

	Certificate *standing `json:"certificate,omitempty"` // where the model carries one

	Plan  *fallback.PlanInfo `json:"plan,omitempty"`  // where --plan asks for it
	Tiles *tilesInfo         `json:"tiles,omitempty"` // likewise

	analysis    *rewrite.Analysis
	grid        *outputGrid
	manifestErr error
}

// operatorInfo is one operator of the main graph.
type operatorInfo struct {
	Index   int          `json:"index"`
	Op      string       `json:"op"`
	Inputs  []tensorInfo `json:"inputs"`
	Outputs []tensorInfo `json:"outputs"`
	EST     *[2]int      `json:"est"`
	MACs    int64        `json:"macs"`
}

// tensorInfo describes a tensor; Tensor is its index, -1 for an optional input
// that is left out.
type tensorInfo struct {
	Tensor    int32    `json:"tensor"`
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Shape     []int32  `json:"shape"` // empty for a scalar
	Constant  bool     `json:"constant,omitempty"`
	Scale     *float32 `json:"scale,omitempty"`
	ZeroPoint *int64   `json:"zero_point,omitempty"`
}

func inspect(m *model.Model) *inspection {
	r := &inspection{
		Inputs: []tensorInfo{}, Outputs: []tensorInfo{}, Operators: []operatorInfo{},
		WeightsBytes: weightsBytes(m), analysis: rewrite.Analyse(m),
	}
	r.Manifest, r.manifestErr = m.Manifest()
	if s := standingOf(m); s.certificate != nil {
		r.Certificate = &s
	}
	r.MACs = r.analysis.MACs
	if len(m.Subgraphs) == 0 {
		return r
	}
	g := m.Subgraphs[0]
	r.Inputs, r.Outputs = describe(m, g, g.Inputs), describe(m, g, g.Outputs)
	r.grid = r.findGrid()
	if r.grid != nil {
		r.ReceptiveField, r.Stride = &r.grid.field, &r.grid.stride
	}
	for i, op := range g.Operators {
		o := operatorInfo{
			Index: i, Op: short(printable(m.Code(op).Name()), maxName),
			Inputs: describe(m, g, op.Inputs), Outputs: describe(m, g, op.Outputs),
		}
		shorten(o.Inputs)
		shorten(o.Outputs)
		if i < len(r.analysis.Ops) {
			o.MACs, o.EST = r.analysis.Ops[i].MACs, r.analysis.Ops[i].EST
		}
		r.Operators = append(r.Operators, o)
	}
	return r
}

// outputGrid places an output on the input's pixels, y and x.
type outputGrid struct {
	field, stride [2]int
	origin        [2]float64 // the pixel that position (0, 0) is centred on
	note          string
}

// findGrid asks the graph, and where that does not tell, the manifest of a
// rewritten model.
func (r *inspection) findGrid() *outputGrid {
	if p := r.placedOutput(); p != nil {
		g := &outputGrid{field: p.Field, stride: p.EST}
		for i := range g.origin {
			g.origin[i] = float64(p.Field[i]-1)/2 - float64(p.Before[i])
		}
		if p.Global {
			g.note = ", and the whole input through a global operator"
		}
		return g
	}
	if f := r.Manifest; f != nil && f.ReceptiveField != [2]int{} && f.OutputStride != [2]int{} {
		g := &outputGrid{field: f.ReceptiveField, stride: f.OutputStride, origin: f.Grid.Origin, note: " (by the manifest)"}
		for i, step := range f.Grid.Stride { // an output of smaller eST keeps its own
			if step > 0 {
				g.stride[i] = int(step)
			}
		}
		return g
	}
	return nil
}

// maxName bounds the names at operators: a file may give one tensor a name of
// a megabyte and point at it a thousand times.
const maxName = 120

func shorten(list []tensorInfo) {
	for i := range list {
		list[i].Name = short(list[i].Name, maxName)
	}
}

func describe(m *model.Model, g *model.Subgraph, ids []int32) []tensorInfo {
	list := []tensorInfo{}
	for _, id := range ids {
		info := tensorInfo{Tensor: id, Shape: []int32{}}
		if id >= 0 {
			t := g.Tensors[id]
			info.Name, info.Type = t.Name, t.Type.String()
			info.Shape = append(info.Shape, t.Shape...)
			info.Constant = m.Data(t) != nil
			if q := t.Quantization; q != nil && len(q.Scale) == 1 && len(q.ZeroPoint) == 1 {
				info.Scale, info.ZeroPoint = &q.Scale[0], &q.ZeroPoint[0]
			}
		}
		list = append(list, info)
	}
	return list
}

// weightsBytes is the size of all constants, each once.
func weightsBytes(m *model.Model) int64 {
	total := int64(0)
	seen := map[uint32]bool{}
	for _, g := range m.Subgraphs {
		for _, t := range g.Tensors {
			if d := m.Data(t); d != nil && !seen[t.Buffer] {
				seen[t.Buffer] = true
				total += int64(len(d))
			}
		}
	}
	return total
}

// String is the tensor in a line for people.
func (t tensorInfo) String() string {
	s := fmt.Sprintf("%s %s%s", printable(t.Name), t.Type, model.FormatShape(t.Shape))
	if t.Scale != nil {
		s += fmt.Sprintf(" scale %g zero point %d", *t.Scale, *t.ZeroPoint)
	}
	return s
}

// printable keeps a name from a file from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// pairText is "8" for an equal pair, "8x4" for y 8, x 4, "-" for none.
func pairText(p *[2]int) string {
	switch {
	case p == nil:
		return "-"
	case p[0] == p[1]:
		return fmt.Sprint(p[0])
	}
	return fmt.Sprintf("%dx%d", p[0], p[1])
}

// countText writes a count with a unit prefix: 12.3 M.
func countText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// bytesText writes a size: 12.3 MB.
func bytesText(n int64) string {
	if n < 1e3 {
		return fmt.Sprintf("%d B", n)
	}
	return countText(n) + "B"
}

// shareBar is a bar of at most width characters.
func shareBar(part, whole int64, width int) string {
	if whole <= 0 {
		return ""
	}
	return strings.Repeat("█", int((float64(part)/float64(whole))*float64(width)+0.5))
}
