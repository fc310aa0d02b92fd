package eval

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteTable writes the report for people: a table for each net, then what its
// numbers mean. Markdown tables go into documents.
func (r *Report) WriteTable(w io.Writer, markdown bool) error {
	var out strings.Builder
	for i := range r.Models {
		m := &r.Models[i]
		fmt.Fprintf(&out, "%s: patch %dx%d, total stride %d, %s contract, %d pictures of %s, %s\n",
			m.Model, m.Patch[0], m.Patch[1], m.Stride[0], m.Contract, r.Images, r.Source, r.Engine)
		t := m.table()
		if markdown {
			fmt.Fprintf(&out, "\n%s\n\n", t.RenderMarkdown())
		} else {
			fmt.Fprintf(&out, "%s\n", t.Render())
		}
		m.notes(&out, r.Tolerance)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (m *ModelReport) table() table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	head := table.Row{"way", "stride", "mIoU", "boundary F", "pixels"}
	for _, label := range m.Labels {
		head = append(head, label)
	}
	t.AppendHeader(append(head, "ms/frame", "GMACs", "MB"))
	columns := make([]table.ColumnConfig, len(head)+2)
	for i := range columns {
		columns[i] = table.ColumnConfig{Number: i + 2, Align: text.AlignRight}
	}
	t.SetColumnConfigs(columns)
	for _, w := range m.Ways {
		row := table.Row{w.Title(), w.OutputStride, percent(w.MIoU), percent(w.BoundaryF), percent(w.PixelAccuracy)}
		for _, v := range w.IoU {
			row = append(row, percent(v))
		}
		ms := fmt.Sprintf("%.1f", w.LatencyMS)
		if w.Extrapolated {
			ms = "~" + ms
		}
		t.AppendRow(append(row, ms, fmt.Sprintf("%.2f", float64(w.MACs)/1e9), fmt.Sprintf("%.1f", float64(w.MemoryBytes)/1e6)))
	}
	return t
}

// Title is the way in words.
func (w *WayScore) Title() string {
	switch {
	case w.Way == "patches":
		return "patch by patch"
	case w.Way == "baseline":
		return "baseline, " + w.Upsample
	}
	return w.Way
}

func percent(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100**v)
}

// notes says what a reader must know to trust the numbers.
func (m *ModelReport) notes(b *strings.Builder, tolerance int) {
	fmt.Fprintf(b, "Columns are percent: mean IoU, mean boundary F-score (%d pixels tolerance), pixel accuracy, IoU per class.\n", tolerance)
	fmt.Fprintf(b, "Scored: the %.1f %% of all pixels for which every way has an answer. Truth:", 100*m.PixelShare)
	for i, label := range m.Labels {
		if m.ClassShare[i] == m.ClassShare[i] { // NaN: nothing was scored
			fmt.Fprintf(b, " %s %.2f %%", label, 100*m.ClassShare[i])
		}
	}
	for _, w := range m.Ways {
		if w.Way == "patches" {
			fmt.Fprintf(b, "\nPatch by patch: %d patches on a regular grid, the time is that of one times all of a frame. ", w.PixelsScored)
			fmt.Fprintf(b, "The equivalent net at stride 1 gives the same class at %s %% of these pixels, and there has mIoU %s.",
				percent(w.EqualToDense), percent(w.DenseMIoU))
		}
	}
	fmt.Fprint(b, "\nTimes: median of one run of the graph; MB: constants and live tensors, the least any engine needs.\n\n")
}
