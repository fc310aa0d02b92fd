package main

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"edged"
	"edged/fallback"
)

// planOf asks the fallback engine how it would run a model; a model that it
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
	t.AppendHeader(table.Row{"#", "operator", "computed by", "units", "when"})
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignRight}, {Number: 4, Align: text.AlignRight}})
	for _, s := range p.Steps {
		when := "each frame"
		if s.Once {
			when = "once"
		}
		t.AppendRow(table.Row{s.Operator, s.Name, s.Kernel, s.Units, when})
	}
	return fmt.Sprintf("\nplan of %s: %s for a frame, %s of packed weights and constants\n\n%s\n",
		p.Engine, bytesText(p.ArenaBytes), bytesText(p.FixedBytes), t.Render())
}
