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
	for _, s := range p.Steps {
		when := "each frame"
		if s.Once {
			when = "once"
		}
		t.AppendRow(table.Row{s.Operator, s.Name, s.Kernel, s.Units, when, choiceText(s.Choice)})
	}
	rates := ""
	if p.Rates != nil {
		rates = fmt.Sprintf("\nThe choices rest on rates that were measured now, or fixed: %s=%s\n", conv.RatesVariable, p.Rates)
	}
	return fmt.Sprintf("\nplan of %s: %s for a frame, %s of packed weights, constants and what threads need\n\n%s\n%s",
		p.Engine, bytesText(p.ArenaBytes), bytesText(p.FixedBytes), t.Render(), rates)
}

// choiceText lists the ways to compute a step, the one taken first.
func choiceText(list []fallback.Candidate) string {
	var ways []string
	for _, c := range list {
		ways = append(ways, fmt.Sprintf("%s %.3f", c.Kernel, c.MS))
	}
	return strings.Join(ways, ", ")
}
