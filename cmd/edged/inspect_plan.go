package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"edged"
	"edged/fallback"
	"edged/internal/kernel/conv"
)

// planOf asks the Go engine how it would run a model; a model that it
// refuses is refused here too.
func planOf(path string, file []byte) (*fallback.PlanInfo, error) {
	p, err := fallback.Describe(file, edged.Options{})
	if err != nil {
		return nil, exitf(exitRefused, "%s: no plan: %w", path, err)
	}
	return p, nil
}

// planText is the plan for people: a line a pass, in order.
func planText(p *fallback.PlanInfo) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	t.AppendHeader(table.Row{"#", "operator", "computed by", "units", "when", "ways, ms expected on one thread"})
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignRight}, {Number: 4, Align: text.AlignRight}})
	for _, s := range together(p.Steps) {
		when := "each frame"
		switch {
		case s.Once:
			when = "once"
		case s.Times > 0:
			when = "each window"
		}
		operator := any(s.Operator)
		if s.Operator < 0 {
			operator = "" // of the engine's own
		}
		t.AppendRow(table.Row{operator, s.Name, s.Kernel, s.Units, when, choiceText(s.Choice)})
	}
	rates := ""
	if p.Rates != nil {
		rates = fmt.Sprintf("\nThe choices rest on rates that were measured now, or fixed: %s=%s\n", conv.RatesVariable, p.Rates)
	}
	return fmt.Sprintf("\nplan of %s: %s for a frame, %s of packed weights, constants and what threads need\n%s\n%s\n%s",
		p.Engine, bytesText(p.ArenaBytes), bytesText(p.FixedBytes), windowsText(p.Windows), t.Render(), rates)
}

// together makes one line of passes over the parts of one map.
func together(steps []fallback.StepInfo) []fallback.StepInfo {
	type key struct {
		operator     int
		name, kernel string
		once         bool
		times        int
	}
	at := map[key]int{}
	var list []fallback.StepInfo
	for _, s := range steps {
		k := key{s.Operator, s.Name, s.Kernel, s.Once, s.Times}
		if i, ok := at[k]; ok && len(s.Choice) == 0 {
			list[i].Units += s.Units
			continue
		}
		at[k] = len(list)
		list = append(list, s)
	}
	return list
}

// windowsText tells how many positions each layer that windows share computes.
func windowsText(w *fallback.WindowsInfo) string {
	if w == nil {
		return ""
	}
	head := fmt.Sprintf("\n%d x %d windows of %dx%d pixels, every %dx%d, one at a time", w.Count[0], w.Count[1], w.Size[0], w.Size[1], w.Stride[0], w.Stride[1])
	if len(w.Shared) == 0 {
		return head + "; they share no layer\n"
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	t.AppendHeader(table.Row{"#", "shared layer", "positions", "without sharing", "once a frame", "of a row of windows", "of a column", "of a window", "times fewer"})
	var right []table.ColumnConfig
	for _, i := range []int{1, 3, 4, 5, 6, 7, 8, 9} {
		right = append(right, table.ColumnConfig{Number: i, Align: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	for _, l := range w.Shared {
		all := l.Frame + l.Rows + l.Columns + l.Windows
		t.AppendRow(table.Row{l.Operator, l.Name, all, l.Without, l.Frame, l.Rows, l.Columns, l.Windows, fmt.Sprintf("%.1f", float64(l.Without)/float64(max(all, 1)))})
	}
	return fmt.Sprintf("%s; they share %d layers, and each computes %d more by itself\n\n%s\n", head, len(w.Shared), w.Alone, t.Render())
}

// choiceText lists the ways to compute a step, the one taken first.
func choiceText(list []fallback.Candidate) string {
	var ways []string
	for _, c := range list {
		ways = append(ways, fmt.Sprintf("%s %.3f", c.Kernel, c.MS))
	}
	return strings.Join(ways, ", ")
}
