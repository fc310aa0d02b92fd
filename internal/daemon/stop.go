package daemon

import (
	"context"
	"errors"
	"strings"
	"time"
)

// What the end may take, from the word to the last line: below the 5 seconds that
// systemd and people expect, whatever hangs.
const (
	endTime   = 4500 * time.Millisecond
	unitTime  = 2 * time.Second        // for frames that are in work
	leastTime = 500 * time.Millisecond // for each step, however late it is
)

// ending is how much of the end's time is left.
type ending struct{ began time.Time }

// grant is what a step may take that would like want.
func (e ending) grant(want time.Duration) time.Duration {
	return max(leastTime, min(want, endTime-time.Since(e.began)))
}

// runUnits runs every camera, joins their errors and tells when the end began. A camera that fails with
// once leaves the others to their end. One that does not stop is left behind.
func (d *Daemon) runUnits(ctx context.Context) (ending, error) {
	type end struct {
		u   *unit
		err error
	}
	ended := make(chan end, len(d.units))
	running := map[*unit]bool{}
	for _, u := range d.units {
		running[u] = true
		go func() { ended <- end{u, u.run(ctx)} }()
	}
	var errs []error
	e := ending{}
	stopping, late := ctx.Done(), (<-chan time.Time)(nil)
	for len(running) > 0 {
		select {
		case u := <-ended:
			delete(running, u.u)
			errs = append(errs, u.err)
		case <-stopping:
			e.began, stopping, late = time.Now(), nil, time.After(unitTime)
		case <-late:
			d.log.Error("the end does not wait for cameras that do not stop", "cameras", doing(running))
			return e, errors.Join(errs...)
		}
	}
	if e.began.IsZero() {
		e.began = time.Now()
	}
	return e, errors.Join(errs...)
}

// doing tells what each of them is at.
func doing(units map[*unit]bool) string {
	var all []string
	for u := range units {
		phase, since, _ := u.camera.Progress()
		all = append(all, u.cfg.Name+": "+phase.String()+" since "+time.Since(since).Round(time.Millisecond).String())
	}
	return strings.Join(all, ", ")
}

// noteStop keeps in the state that this was an end in good order.
func (d *Daemon) noteStop(why string, limit time.Duration) {
	kept := within(limit, func() {
		d.stateMu.Lock()
		defer d.stateMu.Unlock()
		if err := d.memory.stopped(why); err != nil {
			d.log.Warn("state not saved", "err", err.Error())
		}
	})
	if !kept {
		d.log.Warn("the end does not wait for the disk: the next run takes this one's end for a loss of power")
	}
}
