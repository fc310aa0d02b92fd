package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"edged/fallback"
)

// stepTime is one step of the Go engine's plan in bench --steps --json.
type stepTime struct {
	fallback.StepInfo
	MedianMS float64 `json:"median_ms"`
	Share    float64 `json:"share"` // of all the steps' medians
}

// stepClock runs laps in which the engine takes the time of its steps.
type stepClock struct {
	racer  *racer
	engine *fallback.Engine
	took   []time.Duration
	times  [][]time.Duration // by step, then by lap
}

// newStepClock is for a racer on the Go engine.
func newStepClock(r *racer) *stepClock {
	e := r.engine.(*fallback.Engine)
	n := len(e.Steps())
	return &stepClock{racer: r, engine: e, took: make([]time.Duration, n), times: make([][]time.Duration, n)}
}

func (c *stepClock) lap() error {
	start := time.Now()
	err := c.engine.RunTimed(c.took)
	c.racer.result.times = append(c.racer.result.times, time.Since(start))
	for i, d := range c.took {
		c.times[i] = append(c.times[i], d)
	}
	return err
}

func (c *stepClock) medians() []stepTime {
	var list []stepTime
	sum := 0.0
	for i, s := range c.engine.Steps() {
		slices.Sort(c.times[i])
		ms := fine(c.times[i][len(c.times[i])/2])
		list = append(list, stepTime{StepInfo: s, MedianMS: ms})
		sum += ms
	}
	for i := range list {
		if sum > 0 {
			list[i].Share = list[i].MedianMS / sum
		}
	}
	return list
}

// stepsText is the steps for people, a line each.
func stepsText(steps []stepTime) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	t.AppendHeader(table.Row{"#", "operator", "computed by", "ms", "share", "MMAC", "GMAC/s", "kB", "GB/s"})
	right := func(n int) table.ColumnConfig { return table.ColumnConfig{Number: n, Align: text.AlignRight} }
	t.SetColumnConfigs([]table.ColumnConfig{right(1), right(4), right(5), right(6), right(7), right(8), right(9)})
	for _, s := range steps {
		macs, rate := "", ""
		if s.MACs > 0 {
			macs, rate = fmt.Sprintf("%.1f", float64(s.MACs)/1e6), fmt.Sprintf("%.1f", perSecond(s.MACs, s.MedianMS))
		}
		t.AppendRow(table.Row{s.Operator, s.Name, s.Kernel, fmt.Sprintf("%.3f", s.MedianMS), fmt.Sprintf("%.1f %%", 100*s.Share),
			macs, rate, fmt.Sprintf("%.0f", float64(s.Bytes)/1e3), fmt.Sprintf("%.1f", perSecond(s.Bytes, s.MedianMS))})
	}
	return "\n" + t.Render() + "\n"
}

// perSecond is the rate of n a step in billions a second.
func perSecond(n int64, ms float64) float64 {
	if ms == 0 {
		return 0
	}
	return float64(n) / 1e6 / ms
}
