package worker

import (
	"errors"
	"fmt"
	"io"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// noSlot is the slot index that means the camera's own memory.
const noSlot = -1

// read reads frames until the source ends, and says why it did.
func (s *server) read() (reason string, err error) {
	s.drop() // what was bound belongs to the source before
	during := shm.Opening
	s.again = true
	for n := uint64(0); ; n++ {
		skip := n < s.o.Skip
		slot, err := s.slot(skip)
		if err != nil {
			return "", err
		}
		if slot != noSlot {
			s.seg.Seq(slot).Store(0)
		}
		if e := s.enough.Swap(nil); e != nil {
			s.cam.Enough(*e)
		}
		began := shm.Now()
		s.vitals.SetPhase(during, began)
		p, err := s.cam.Read(slot)
		switch {
		case errors.Is(err, io.EOF):
			return "no more frames", nil
		case err != nil:
			return err.Error(), nil
		case s.stopped.Load():
			return "", errGone
		}
		during = shm.Reading
		if p.Same {
			s.keep(slot)
			continue
		}
		s.again = false
		if skip {
			s.keep(slot)
			continue
		}
		if err := s.lend(slot, p, began); err != nil {
			return "", err
		}
	}
}

// slot finds where the next frame may go: noSlot when the parent has them all
// and does not want to be waited for.
func (s *server) slot(skip bool) (int, error) {
	if skip {
		return noSlot, nil
	}
	if err := s.awaitDue(); err != nil {
		return 0, err
	}
	if s.seg == nil {
		return noSlot, nil
	}
	if s.o.EveryFrame {
		return s.awaitSlot()
	}
	return s.freeSlot(), nil
}

// freeSlot is a slot that is free now, else noSlot.
func (s *server) freeSlot() int {
	for {
		select {
		case r := <-s.free:
			if r.Memory == s.number {
				return int(r.Slot)
			}
		default:
			return noSlot
		}
	}
}

func (s *server) awaitSlot() (int, error) {
	for {
		select {
		case r := <-s.free:
			if r.Memory == s.number {
				return int(r.Slot), nil
			}
			continue
		default:
		}
		s.phase(shm.Waiting)
		select {
		case <-s.gone:
			return 0, errGone
		case r := <-s.free:
			if r.Memory == s.number {
				return int(r.Slot), nil
			}
		}
	}
}

// keep puts a slot back that holds nothing to show.
func (s *server) keep(slot int) {
	if slot != noSlot {
		s.free <- wire.Release{Memory: s.number, Slot: uint8(slot)}
	}
}

// lend counts the picture and announces it in a slot. Without a slot it is
// passed over: the next frame's count tells the parent.
func (s *server) lend(slot int, p Picture, began time.Duration) error {
	now := shm.Now()
	f := wire.Frame{Read: s.vitals.CountRead(), At: now, Took: now - began, Number: p.Number}
	if p.Empty {
		s.keep(slot)
		f.Corrupt = true // no slot, no size: there is only the count to tell
		return s.conn.SendFrame(f)
	}
	size := wire.Want{W: p.W, H: p.H, Ch: p.Ch, Reduced: p.Reduced}
	if s.seg == nil || size != s.size {
		var err error
		if slot, err = s.want(size); err != nil {
			return err
		}
	} else if slot == noSlot {
		if !s.o.Each {
			return nil
		}
		if slot = s.freeSlot(); slot == noSlot { // one may have come back while the camera waited
			return nil
		}
	}
	if !p.InPlace {
		s.seg.Seq(slot).Store(0)
		if err := s.cam.Take(s.seg.Slot(slot)); err != nil {
			return fmt.Errorf("worker: take the picture: %w", err)
		}
		f.Copied = true
	}
	s.seg.Seq(slot).Store(f.Read)
	f.Memory, f.Slot, f.Ch, f.Corrupt = s.number, uint8(slot), uint8(p.Ch), p.Corrupt
	f.W, f.H = uint32(p.W), uint32(p.H)
	return s.conn.SendFrame(f)
}

// want asks for memory for pictures of another size and returns a slot of it.
func (s *server) want(size wire.Want) (int, error) {
	s.drop()
	s.phase(shm.Waiting)
	if err := s.conn.Send(wire.TypeWant, size); err != nil {
		return 0, err
	}
	select {
	case <-s.gone:
		return 0, errGone
	case m := <-s.memory:
		s.seg, s.number, s.size = m.seg, m.number, size
	}
	slots := make([][]byte, s.seg.Slots())
	for i := range slots {
		slots[i] = s.seg.Slot(i)[:size.Bytes()]
		if i > 0 {
			s.keep(i)
		}
	}
	if err := s.cam.Bind(size, slots); err != nil {
		return 0, fmt.Errorf("worker: bind: %w", err)
	}
	return 0, nil
}

// drop forgets the memory. The parent keeps its own mapping of it.
func (s *server) drop() {
	for len(s.free) > 0 {
		<-s.free
	}
	if s.seg != nil {
		s.seg.Close()
		s.seg = nil
	}
	s.size = wire.Want{}
}

// pollRate is how many times a second a polled picture is asked for at most.
const pollRate = 10

// pace sets the rate of what is read no faster than that: a file's own, unless
// another was asked for.
func (s *server) pace(opened wire.Opened) {
	fps := opened.FPS
	if s.polled = opened.Polled; s.polled {
		s.o.Paced, fps = true, pollRate
	}
	if s.o.FPS > 0 {
		fps = s.o.FPS
	}
	if !(fps >= 0.01 && fps <= 1000) {
		fps = 25 // a container may claim anything
	}
	s.period = time.Duration(float64(time.Second) / fps)
	s.due = time.Now()
}

// timer is time.After without the garbage.
func (s *server) timer(d time.Duration) <-chan time.Time {
	if s.alarm == nil {
		s.alarm = time.NewTimer(d)
	} else {
		s.alarm.Reset(d)
	}
	return s.alarm.C
}

// awaitAsk waits until the caller wants a picture of a source that is polled. The
// first one is there already, and one that has not changed is asked for again.
func (s *server) awaitAsk() error {
	if !s.polled || s.again {
		return nil
	}
	s.phase(shm.Waiting)
	select {
	case <-s.gone:
		return errGone
	case <-s.asked:
		s.again = true
		return nil
	}
}

// awaitDue waits until a paced file's next frame is due. A reader that cannot
// keep up does not hurry afterwards.
func (s *server) awaitDue() error {
	if !s.o.Paced {
		return nil
	}
	if err := s.awaitAsk(); err != nil {
		return err
	}
	if wait := time.Until(s.due); wait > 0 {
		s.phase(shm.Waiting)
		select {
		case <-s.gone:
			return errGone
		case <-s.timer(wait):
		}
	}
	s.due = s.due.Add(s.period)
	if now := time.Now(); now.After(s.due) {
		s.due = now
	}
	return nil
}
