package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"math/bits"
	"path/filepath"
	"slices"
	"strings"

	"edged/model"
)

// estColours go from light to dark with log2 of the equivalent stride.
var estColours = [...]struct{ fill, ink string }{
	{"#ffffd9", "#222"}, {"#d6efb3", "#222"}, {"#85cfba", "#222"}, {"#41b6c4", "#222"},
	{"#2b7fb8", "#fff"}, {"#253494", "#fff"}, {"#081d58", "#fff"},
}

const noGridClass = "none"

// drawGraph is the main graph as an SVG: a box for every operator, from the
// inputs down to the outputs, coloured by eST. Constants, and operators that
// only prepare constants, are left out.
func drawGraph(path string, m *model.Model, r *inspection) []byte {
	d := &drawing{}
	if len(m.Subgraphs) > 0 {
		d.fill(m, m.Subgraphs[0], r)
	}
	d.arrange()
	return d.svg(filepath.Base(path), r)
}

// fill makes the nodes: inputs, operators, outputs.
func (d *drawing) fill(m *model.Model, g *model.Subgraph, r *inspection) {
	from := map[int32]*drawNode{} // the node that gives a tensor
	for i, id := range g.Inputs {
		from[id] = d.add(&drawNode{label: terminal("input", r.Inputs[i]), class: "end", title: r.Inputs[i].Name})
	}
	for i, op := range g.Operators {
		var above []*drawNode
		for _, id := range op.Inputs {
			if n := from[id]; n != nil && !slices.Contains(above, n) {
				above = append(above, n)
			}
		}
		if len(above) == 0 && len(op.Inputs) > 0 {
			continue // of constants alone
		}
		n := d.add(&drawNode{label: operatorLabel(m, g, op, r.Operators[i]), class: estClass(r.Operators[i].EST), title: operatorTitle(r.Operators[i])})
		for _, a := range above {
			d.connect(a, n)
		}
		for _, id := range op.Outputs {
			from[id] = n
		}
	}
	for i, id := range g.Outputs {
		if n := from[id]; n != nil {
			d.connect(n, d.add(&drawNode{label: terminal("output", r.Outputs[i]), class: "end", title: r.Outputs[i].Name}))
		}
	}
}

func terminal(kind string, t tensorInfo) []string {
	return []string{kind + " " + short(t.Name, 20), fmt.Sprintf("%s %s", t.Type, model.FormatShape(t.Shape))}
}

func operatorLabel(m *model.Model, g *model.Subgraph, op *model.Operator, o operatorInfo) []string {
	parts := []string{}
	if w := windowText(m, g, op); w != "" {
		parts = append(parts, w)
	}
	if len(o.Outputs) > 0 {
		parts = append(parts, model.FormatShape(o.Outputs[0].Shape))
	}
	if o.MACs > 0 {
		parts = append(parts, countText(o.MACs))
	}
	return []string{fmt.Sprintf("%d %s", o.Index, short(o.Op, 26)), strings.Join(parts, "   ")}
}

// windowText is a window's filter, stride and dilation: "3x3 s2 d4".
func windowText(m *model.Model, g *model.Subgraph, op *model.Operator) string {
	w, ok := model.WindowOf(m, g, op)
	if o, transposed := op.Options.(*model.TransposeConvOptions); transposed {
		w, ok = model.Window{Stride: [2]int{int(o.StrideH), int(o.StrideW)}, Dilation: [2]int{1, 1}}, true
		if len(op.Inputs) > 1 && op.Inputs[1] >= 0 {
			if f := g.Tensors[op.Inputs[1]].Shape; len(f) == 4 {
				w.Filter = [2]int{int(f[1]), int(f[2])}
			}
		}
	}
	if !ok {
		return ""
	}
	s := fmt.Sprintf("%dx%d", w.Filter[0], w.Filter[1])
	if w.Stride != [2]int{1, 1} {
		s += " s" + pairText(&w.Stride)
	}
	if w.Dilation != [2]int{1, 1} {
		s += " d" + pairText(&w.Dilation)
	}
	return s
}

func operatorTitle(o operatorInfo) string {
	s := fmt.Sprintf("operator %d %s, eST %s, %d MACs", o.Index, o.Op, pairText(o.EST), o.MACs)
	for _, t := range o.Inputs {
		if t.Tensor >= 0 {
			s += "\nin " + t.String()
		}
	}
	for _, t := range o.Outputs {
		s += "\nout " + t.String()
	}
	return s
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func estClass(est *[2]int) string {
	if est == nil {
		return noGridClass
	}
	return fmt.Sprintf("e%d", estShade(est))
}

func estShade(est *[2]int) int {
	return min(bits.Len(uint(max(est[0], est[1], 1)))-1, len(estColours)-1)
}

// svg writes the picture; the legend stands above the graph.
func (d *drawing) svg(name string, r *inspection) []byte {
	const margin, top = 24.0, 96.0
	left, right := 0.0, 0.0
	for i, n := range d.nodes {
		lo, hi := n.x-n.width()/2, n.x+n.width()/2
		if i == 0 {
			left, right = lo, hi
		}
		left, right = math.Min(left, lo), math.Max(right, hi)
	}
	legend := estsIn(r)
	width := math.Max(right-left, math.Max(560, 130+60*float64(len(legend)+1))) + 2*margin
	height := top + float64(len(d.rows))*rowPitch + margin
	shift := width/2 - (left+right)/2
	place := func(n *drawNode) (x, y float64) { return n.x + shift, top + float64(n.row)*rowPitch }

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="sans-serif">`+"\n", width, height, width, height)
	b.WriteString(styleSheet())
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%.0f" y="30" font-size="17" font-weight="bold">%s</text>`+"\n", margin, escape(name))
	fmt.Fprintf(&b, `<text x="%.0f" y="50" font-size="12">%s</text>`+"\n", margin, escape(r.summary()))
	drawLegend(&b, margin, legend)
	for _, n := range d.nodes {
		x0, y0 := place(n)
		for _, to := range n.down {
			x1, y1 := place(to)
			drawEdge(&b, x0, y0+boxHeight, x1, y1, to.label != nil)
		}
		if n.label == nil { // a way point: the edge goes straight through its row
			fmt.Fprintf(&b, `<path class="edge" d="M%.1f %.1fV%.1f"/>`+"\n", x0, y0, y0+boxHeight)
		}
	}
	for _, n := range d.nodes {
		if n.label != nil {
			x, y := place(n)
			drawBox(&b, n, x, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (r *inspection) summary() string {
	s := fmt.Sprintf("%d operators, %s MACs, %s of weights", len(r.Operators), countText(r.MACs), bytesText(r.WeightsBytes))
	if g := r.grid; g != nil {
		s += fmt.Sprintf(", receptive field %s, output stride %s, origin y %g, x %g", pairText(&g.field), pairText(&g.stride), g.origin[0], g.origin[1])
	}
	return s
}

// estsIn lists the equivalent strides that occur, one for each shade, nil for
// "none" last.
func estsIn(r *inspection) []*[2]int {
	byShade := map[int]*[2]int{}
	none := false
	for i := range r.Operators {
		est := r.Operators[i].EST
		if est == nil {
			none = true
			continue
		}
		if _, ok := byShade[estShade(est)]; !ok {
			byShade[estShade(est)] = est
		}
	}
	var list []*[2]int
	for shade := range estColours {
		if est := byShade[shade]; est != nil {
			list = append(list, est)
		}
	}
	if none {
		list = append(list, nil)
	}
	return list
}

func drawLegend(b *bytes.Buffer, x float64, ests []*[2]int) {
	fmt.Fprintf(b, `<text x="%.0f" y="76" font-size="12">eST (input pixels)</text>`+"\n", x)
	x += 120
	for _, est := range ests {
		text := pairText(est)
		if est == nil {
			text = "none"
		}
		fmt.Fprintf(b, `<rect class="box %s" x="%.0f" y="64" width="16" height="16" rx="3"/><text x="%.0f" y="76" font-size="12">%s</text>`+"\n",
			estClass(est), x, x+22, text)
		x += 60
	}
}

func drawEdge(b *bytes.Buffer, x0, y0, x1, y1 float64, arrow bool) {
	marker := ""
	if arrow {
		marker = ` marker-end="url(#tip)"`
	}
	middle := (y0 + y1) / 2
	fmt.Fprintf(b, `<path class="edge" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"%s/>`+"\n", x0, y0, x0, middle, x1, middle, x1, y1, marker)
}

func drawBox(b *bytes.Buffer, n *drawNode, x, y float64) {
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect class="box %s" x="%.1f" y="%.1f" width="%.0f" height="%.0f" rx="6"/>`,
		n.class, escape(n.title), n.class, x-boxWidth/2, y, boxWidth, boxHeight)
	for i, line := range n.label {
		weight := ""
		if i == 0 {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text class="ink" x="%.1f" y="%.1f" font-size="11" text-anchor="middle"%s>%s</text>`, x, y+19+16*float64(i), weight, escape(line))
	}
	b.WriteString("</g>\n")
}

func styleSheet() string {
	s := "<style>\n.edge{fill:none;stroke:#777;stroke-width:1.3}\n.box{stroke:#444;stroke-width:1}\n" +
		".end .ink{fill:#222}\n.end .box,.box.end{fill:#f3f3f3;stroke-dasharray:4 2}\n.none .ink{fill:#222}\n.box.none{fill:#e3dfe8}\n"
	for i, c := range estColours {
		s += fmt.Sprintf(".e%d .ink{fill:%s}\n.box.e%d{fill:%s}\n", i, c.ink, i, c.fill)
	}
	return s + "</style>\n" + `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">` +
		`<path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>` + "\n"
}

// escape makes text fit for XML; names come from files and may hold anything.
func escape(s string) string {
	clean := []rune(s)
	for i, r := range clean {
		if r < ' ' && r != '\n' || r == 0xfffe || r == 0xffff {
			clean[i] = '\ufffd'
		}
	}
	return html.EscapeString(string(clean))
}
