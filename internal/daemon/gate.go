package daemon

import (
	"context"
	"sync"

	"edged/internal/config"
	"edged/internal/pipeline"
)

// gate is a camera's trigger, which a new config may replace while the camera
// waits for it.
type gate struct {
	mu      sync.Mutex
	trigger pipeline.Trigger // nil: every frame
	queue   *pipeline.Queue  // nil unless the trigger is mqtt
	replace func()           // ends the wait for the trigger
}

// newGate reads a camera's trigger.
func newGate(trigger string) (*gate, error) {
	switch trigger {
	case "continuous", config.TriggerCamera:
		return &gate{}, nil
	case "mqtt":
		q := pipeline.NewQueue(triggerDepth, triggerTimeout)
		return &gate{trigger: q, queue: q}, nil
	}
	every, err := config.TriggerInterval(trigger)
	if err != nil {
		return nil, err
	}
	return &gate{trigger: pipeline.NewInterval(every)}, nil
}

// Wait implements pipeline.Trigger.
func (g *gate) Wait(ctx context.Context) (pipeline.Shot, error) {
	for {
		g.mu.Lock()
		t := g.trigger
		if t == nil {
			g.mu.Unlock()
			return pipeline.Shot{}, nil
		}
		waiting, cancel := context.WithCancel(ctx)
		g.replace = cancel
		g.mu.Unlock()
		shot, err := t.Wait(waiting)
		cancel()
		if err == nil || ctx.Err() != nil {
			return shot, err
		}
	}
}

// take replaces the trigger by another's and returns what waited for the old one.
func (g *gate) take(other *gate) (waiting []pipeline.Shot) {
	g.mu.Lock()
	old := g.queue
	g.trigger, g.queue = other.trigger, other.queue
	if g.replace != nil {
		g.replace()
	}
	g.mu.Unlock()
	if old != nil {
		waiting = old.End()
	}
	return waiting
}

// queueNow takes triggers over MQTT, nil where the trigger is another.
func (g *gate) queueNow() *pipeline.Queue {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue
}
