package pipeline

import (
	"context"
	"errors"
	"time"

	"edged"
)

// Onlooker sees frames of a camera that rests or waits for its trigger: somebody
// who sets it up wants to see where it looks. No result depends on it.
type Onlooker interface {
	// Wants tells whether a frame would be looked at now.
	Wants() bool
	// Look takes a frame, lent until it returns.
	Look(f *edged.Frame)
}

const (
	glanceEvery = 250 * time.Millisecond // between two frames for the onlooker
	glanceTime  = time.Second            // that one may take
)

// errResting says that the wait for a trigger ended because the camera was disabled.
var errResting = errors.New("pipeline: the camera was disabled")

// rest blocks while the camera is disabled.
func (c *Camera) rest(ctx context.Context, f *edged.Frame) error {
	for c.disabled.Load() {
		var glance <-chan time.Time
		if c.Onlooker != nil {
			glance = time.After(glanceEvery)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		case <-glance:
			c.glance(ctx, f)
			c.passGlance()
		}
	}
	return nil
}

func (c *Camera) waitTrigger(ctx context.Context, f *edged.Frame) (Shot, error) {
	if c.Trigger == nil {
		return Shot{}, nil
	}
	if c.Onlooker == nil {
		return c.Trigger.Wait(ctx)
	}
	for {
		soon, cancel := context.WithTimeout(ctx, glanceEvery)
		shot, err := c.Trigger.Wait(soon)
		early := err != nil && soon.Err() != nil && ctx.Err() == nil
		cancel()
		if !early {
			if err != nil {
				c.passGlance()
			}
			return shot, err
		}
		if c.disabled.Load() { // rest looks from here on
			return Shot{}, errResting
		}
		c.glance(ctx, f)
	}
}

// glance reads a frame for the onlooker, if it wants one. The frame stays in f: a
// trigger that came meanwhile is served with it.
func (c *Camera) glance(ctx context.Context, f *edged.Frame) {
	if !c.Onlooker.Wants() {
		return
	}
	c.passGlance()
	soon, cancel := context.WithTimeout(ctx, glanceTime)
	defer cancel()
	if err := c.Source.Next(soon, f); err != nil {
		return // an end is told again to whoever asks for a frame
	}
	c.glanced = true
	c.Onlooker.Look(f)
}

// passGlance counts the frame that the onlooker saw last, which serves nobody else.
func (c *Camera) passGlance() {
	if c.glanced {
		c.glanced = false
		c.counts.passedOver.Add(1)
	}
}

// takeGlance tells whether the frame that the onlooker saw last serves shot, as the
// first that was taken after it.
func (c *Camera) takeGlance(f *edged.Frame, shot Shot) bool {
	if c.glanced && !shot.Deadline.IsZero() && time.Now().Before(shot.Deadline) && !f.Time.Before(shot.At) {
		c.glanced = false
		return true
	}
	c.passGlance()
	return false
}
