package main

import (
	"bytes"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"edged/model"
	"edged/rewrite"
)

// text is the report for people: what goes in and out, a line an operator, the
// sums, and what the manifest says.
func (r *inspection) text(path string, size int, m *model.Model) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s, %s of weights, %d operators", path, bytesText(int64(size)), bytesText(r.WeightsBytes), len(r.Operators))
	if n := len(m.Subgraphs); n != 1 {
		fmt.Fprintf(&b, ", %d subgraphs (the first is shown)", n)
	}
	b.WriteString("\n")
	for _, t := range r.Inputs {
		fmt.Fprintf(&b, "input   %v\n", t)
	}
	if open := m.OpenSize(); open != "" {
		fmt.Fprintf(&b, "        signature %s: the size is open, and the shapes here are those of a place-holder; edged rewrite --input HxW gives it one\n", open)
	}
	for i, t := range r.Outputs {
		fmt.Fprintf(&b, "output  %v%s\n", t, r.outputNote(i))
	}
	b.WriteString("\n" + r.table() + "\n\n")
	fmt.Fprintf(&b, "MACs             %s\n", countText(r.MACs))
	if g := r.grid; g != nil {
		fmt.Fprintf(&b, "receptive field  %s pixels%s\n", pairText(&g.field), g.note)
		fmt.Fprintf(&b, "output stride    %s pixels\n", pairText(&g.stride))
		fmt.Fprintf(&b, "grid origin      y %g, x %g: the pixel that output (0, 0) is centred on\n", g.origin[0], g.origin[1])
	}
	b.WriteString(manifestText(r.Manifest))
	if r.Certificate != nil {
		fmt.Fprintf(&b, "certificate      %v\n", r.Certificate)
	} else {
		b.WriteString("certificate      none\n")
	}
	if r.Plan != nil {
		b.WriteString(planText(r.Plan))
		b.WriteString(r.Tiles.text())
	}
	return b.Bytes()
}

func (r *inspection) outputNote(i int) string {
	if i >= len(r.analysis.Outputs) {
		return ""
	}
	if p := r.analysis.Outputs[i]; p != nil {
		return fmt.Sprintf("  (stride %s, field %s)", pairText(&p.EST), pairText(&p.Field))
	}
	if why := r.analysis.Why[i]; why != "" && r.grid == nil {
		return "  (no grid: " + why + ")"
	}
	return ""
}

// placedOutput is the output that the grid is told of: the one that the
// manifest names, else the first that is a map, else the first with a grid.
func (r *inspection) placedOutput() *rewrite.Place {
	var found *rewrite.Place
	for i, p := range r.analysis.Outputs {
		switch {
		case p == nil:
		case r.Manifest != nil && i < len(r.Outputs) && r.Outputs[i].Name == r.Manifest.Output.Tensor:
			return p
		case found == nil || found.Vector && !p.Vector:
			found = p
		}
	}
	return found
}

func (r *inspection) table() string {
	const barWidth = 12
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	t.AppendHeader(table.Row{"#", "operator", "output", "type", "eST", "MACs", ""})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 1, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight}, {Number: 6, Align: text.AlignRight},
	})
	most := int64(0)
	for _, o := range r.Operators {
		most = max(most, o.MACs)
	}
	for _, o := range r.Operators {
		shape, kind := "", ""
		if len(o.Outputs) > 0 {
			shape, kind = model.FormatShape(o.Outputs[0].Shape), o.Outputs[0].Type
		}
		if n := len(o.Outputs); n > 1 {
			shape += fmt.Sprintf(" and %d more", n-1)
		}
		macs := ""
		if o.MACs > 0 {
			macs = countText(o.MACs)
		}
		t.AppendRow(table.Row{o.Index, o.Op, shape, kind, pairText(o.EST), macs, shareBar(o.MACs, most, barWidth)})
	}
	return t.Render()
}

func manifestText(f *model.Manifest) string {
	if f == nil {
		return "manifest         none\n"
	}
	s := fmt.Sprintf("manifest         schema %d", f.Schema)
	if len(f.Labels) > 0 {
		s += fmt.Sprintf(", classes %q", f.Labels)
	}
	if f.Form != "" {
		s += fmt.Sprintf(", form %s, contract %s, output stride %s", f.Form, f.Contract, pairText(&f.OutputStride))
	}
	return s + "\n"
}

// standing is what a certificate amounts to, as inspect prints it.
type standing struct {
	Level    model.Level `json:"level"`
	Why      string      `json:"why,omitempty"`
	SignedBy string      `json:"signed_by,omitempty"`

	certificate *model.Certificate
}

// standingOf computes the hashes that m's certificate names, and its signature.
func standingOf(m *model.Model) standing {
	s := m.Standing()
	return standing{s.Level, s.Why, s.SignedBy, s.Certificate}
}

func (s standing) String() string {
	text := string(s.Level)
	if c := s.certificate; c != nil && s.Why == "" {
		text += fmt.Sprintf(": equivalent at %d positions on %s, largest difference %g", c.Positions, c.Engine, c.MaxAbsDiff)
		if c.Sampled {
			text += ", a sample"
		}
	}
	if s.Why != "" {
		text += ": " + s.Why
	}
	if s.SignedBy != "" {
		text += "; signed by key " + s.SignedBy
	}
	return text
}
