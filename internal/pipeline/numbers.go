package pipeline

import (
	"time"

	"edged"
)

// checkNumbers is the rule that an output which is not a number somewhere is no
// result: not where it looks like one either, because the NaN stands in a
// channel that loses, or became a class id on its way.
func (s *Stage) checkNumbers() error {
	if err := edged.CheckFinite(s.outputs[s.Output], s.Engine.Output(s.Output)); err != nil {
		return err
	}
	for _, i := range s.Watch {
		if err := edged.CheckFinite(s.outputs[i], s.Engine.Output(i)); err != nil {
			return err
		}
	}
	return nil
}

// numberlessQuiet is how long outputs must have been numbers before the next
// that is not is told again: a model that fails on every second frame is one
// fault.
const numberlessQuiet = time.Minute

// tellNumberless logs the fault when it begins, and hands it on.
func (c *Camera) tellNumberless(err error) {
	now := time.Now()
	told := now.Sub(c.numberless) < numberlessQuiet
	c.numberless = now
	if told {
		return
	}
	c.Log.Error("no verdict comes out of the model's output: its frames fail", "camera", c.Name, "model", c.stage.Model, "err", err.Error())
	if c.Faulted != nil {
		c.Faulted(err)
	}
}
