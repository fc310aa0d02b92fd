package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// rewriteReport is the JSON of edged rewrite.
type rewriteReport struct {
	Dense    string               `json:"dense"`
	Form     rewrite.Form         `json:"form"`
	Reason   string               `json:"reason"`
	Contract rewrite.Contract     `json:"contract"`
	MACs     int64                `json:"macs"`
	Outputs  []rewrite.OutputGrid `json:"outputs"`
	Tried    []tried              `json:"tried"`
}

// warnOnePosition tells of outputs that answer once for the whole frame: a
// dense net of those is no more than the one it was made from.
func warnOnePosition(w io.Writer, r *rewrite.Result) {
	for _, o := range r.Outputs {
		if o.Size == [2]int{1, 1} {
			fmt.Fprintf(w, "edged: warning: output %q has one position: it answers once for the whole frame; a larger --input gives a map\n", o.Name)
		}
	}
}

// warnUnseen tells of windows that leave pixels between them unseen.
func warnUnseen(w io.Writer, r *rewrite.Result) {
	if o := r.Outputs[0]; r.Form == rewrite.Windows && (o.Stride[0] > o.Field[0] || o.Stride[1] > o.Field[1]) {
		fmt.Fprintf(w, "edged: warning: windows of %dx%d every %dx%d pixels leave pixels that no window sees; an --output-stride of the window's size or less sees all\n",
			o.Field[0], o.Field[1], o.Stride[0], o.Stride[1])
	}
}

func (f *rewriteFlags) printResult(cmd *cobra.Command, r *rewrite.Result, list []tried) error {
	warnOnePosition(cmd.ErrOrStderr(), r)
	warnUnseen(cmd.ErrOrStderr(), r)
	if f.json {
		return writeJSON(cmd.OutOrStdout(), rewriteReport{f.out, r.Form, r.Reason, r.Contract, r.MACs, r.Outputs, list})
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s: form %s (%s), contract %s, %.2f GMAC\n", f.out, r.Form, r.Reason, r.Contract, float64(r.MACs)/1e9)
	for _, o := range r.Outputs {
		fmt.Fprintf(w, "  output %q: %dx%d positions, %d channels; position (0, 0) at pixel (%g, %g), then every (%d, %d)\n",
			o.Name, o.Size[0], o.Size[1], o.Channel, o.Centre[0], o.Centre[1], o.Stride[0], o.Stride[1])
		if b := o.Band; o.Padded && b != (model.Band{}) {
			fmt.Fprintf(w, "    padded: within %d pixels of the top, %d left, %d bottom, %d right, outputs between the baseline's own may differ from its shifts\n",
				b.Top, b.Left, b.Bottom, b.Right)
		}
	}
	printTried(w, list)
	return nil
}

func (f *rewriteFlags) printPlan(cmd *cobra.Command, m *model.Model, file []byte, sha string, o rewrite.Options) error {
	engine := f.engine
	if engine == engineAuto { // one for all, or times could not be compared
		var err error
		if engine, err = fastest(file, edged.Options{}); err != nil {
			engine = engineGo // the plan tells what is wrong with the net
		}
	}
	open, err := openerOf(engine)
	if err != nil {
		return err
	}
	lines, err := rewrite.Plan(m, sha, o, open)
	if err != nil {
		return err
	}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"plan": lines})
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "output stride\tform\tGMAC\tactivations\tfile\ttime\toutput")
	for _, l := range lines {
		q := fmt.Sprintf("%dx%d", l.OutputStride[0], l.OutputStride[1])
		if l.Refused != "" {
			fmt.Fprintf(w, "%s\trefused: %s\n", q, l.Refused)
			continue
		}
		about := "about "
		if l.Measured {
			about = ""
		}
		fmt.Fprintf(w, "%s\t%s\t%.3f\t%.1f MB\t%.1f kB\t%s%.1f ms\t%dx%d\n", q, l.Form, float64(l.MACs)/1e9,
			float64(l.ActivationBytes)/1e6, float64(l.FileBytes)/1e3, about, l.EstimatedMS, l.Output[0], l.Output[1])
	}
	if err := w.Flush(); err != nil || lines[0].Form != rewrite.Windows {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), "\nTensorFlow Lite holds all windows at once: that is what activations count. The Go engine runs one at a time, and tells with edged inspect --plan what it takes.")
	return err
}
