package capture

import (
	"context"
	"fmt"
	"time"

	"edged"
	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// onWant gives the worker memory for pictures of another size.
func (s *session) onWant(ctx context.Context, b []byte) error {
	var w wire.Want
	if err := wire.Decode(b, &w); err != nil {
		return err
	}
	if w.W <= 0 || w.H <= 0 || w.Ch != 1 && w.Ch != 3 || w.Reduced < 0 || w.Reduced > 8 || int64(w.W) > s.c.cfg.MaxPixels/int64(w.H) {
		return fmt.Errorf("a picture of %dx%d with %d channels; at most %d pixels are taken", w.W, w.H, w.Ch, s.c.cfg.MaxPixels)
	}
	if s.c.cfg.EveryFrame && !s.c.emptied(ctx) {
		return nil // closing
	}
	s.c.shed(s.mem)
	s.resized(w)
	seg, file, err := shm.Create(s.c.cfg.Slots, w.Bytes())
	if err != nil {
		return err
	}
	defer file.Close()
	s.drop()
	s.numbers++
	s.mem = &memory{seg: seg, conn: s.p.conn, number: s.numbers, users: 1}
	s.p.conn.SendMemory(wire.Memory{Number: s.numbers, Slots: seg.Slots(), SlotBytes: seg.SlotBytes()}, file)
	return nil
}

// resized notes the size of the pictures that come, and tells where the camera's
// own has changed.
func (s *session) resized(w wire.Want) {
	k, before := max(w.Reduced, 1), max(s.reduced, 1)
	if s.w != 0 && (s.w*before != w.W*k || s.h*before != w.H*k) {
		s.c.note(func(t *tally) { t.SizeChanges++ })
		s.c.cfg.Log.Warn("camera changed its picture size", "camera", s.c.cfg.Name,
			"from", fmt.Sprintf("%dx%d", s.w*before, s.h*before), "to", fmt.Sprintf("%dx%d", w.W*k, w.H*k))
	}
	s.w, s.h, s.reduced = w.W, w.H, w.Reduced
}

// drop lets go of the current segment; frames held of it keep it mapped.
func (s *session) drop() {
	if s.mem == nil {
		return
	}
	s.c.mu.Lock()
	s.mem.letGo()
	s.c.mu.Unlock()
	s.mem = nil
}

// settle closes the account of a worker that is gone: what it read and did not
// hand over is lost or, when we hung up on it, passed over.
func (s *session) settle(closing bool) {
	s.drop()
	total := max(s.last, s.p.vitals.Read())
	rest := total - s.last
	s.c.note(func(t *tally) {
		if closing {
			t.passOver(rest)
		} else {
			t.refuse(&t.By.Lost, rest)
		}
	})
	if !closing {
		s.c.cfg.lose("lost", rest, time.Now())
	}
	s.count(rest)
	s.seq += total
}

// count moves the place at which a file would be taken up again.
func (s *session) count(frames uint64) {
	s.any = s.any || frames > 0
	if !s.c.live {
		s.skip += frames
	}
}

// onFrame accounts for a frame and offers it to the caller, or refuses it.
func (s *session) onFrame(f wire.Frame) error {
	defer s.c.answered()
	if f.Read <= s.last || f.Read > s.p.vitals.Read() {
		return fmt.Errorf("frame %d after %d of %d", f.Read, s.last, s.p.vitals.Read())
	}
	picture := f.Ch != 0
	if picture && (s.mem == nil || f.Memory != s.mem.number || int(f.Slot) >= s.mem.seg.Slots() || f.Ch != 1 && f.Ch != 3 ||
		int64(f.W) != int64(s.w) || int64(f.H) != int64(s.h) || s.w*s.h*int(f.Ch) > s.mem.seg.SlotBytes() ||
		s.mem.seg.Seq(int(f.Slot)).Load() != f.Read) {
		return fmt.Errorf("frame %d is not in its slot %d", f.Read, f.Slot)
	}
	passed := f.Read - s.last - 1
	s.last = f.Read
	s.count(passed + 1)
	s.c.note(func(t *tally) {
		t.passOver(passed)
		if f.Copied {
			t.Copied++
		}
	})
	s.c.cfg.lose(passedOver, passed, taken(f))
	if !picture {
		s.c.note(func(t *tally) { t.refuse(&t.By.Corrupt, 1) })
		s.c.cfg.lose("corrupt", 1, taken(f))
		return nil
	}
	h := held{frame: s.describe(f), mem: s.mem, slot: f.Slot}
	s.begins = false
	s.c.mu.Lock()
	s.mem.users++
	s.c.mu.Unlock()
	s.judge(f, h)
	return nil
}

// describe makes the caller's view of a slot.
func (s *session) describe(f wire.Frame) edged.Frame {
	format := edged.BGR
	if f.Ch == 1 {
		format = edged.Gray
	}
	stride := int(f.W) * int(f.Ch)
	return edged.Frame{
		Pix: s.mem.seg.Slot(int(f.Slot))[:stride*int(f.H)], Stride: stride, W: int(f.W), H: int(f.H), Format: format,
		Seq: s.seq + f.Read, Time: taken(f), Reduced: s.reduced, Number: f.Number, Begins: s.begins,
	}
}

// taken is when the worker had the frame.
func taken(f wire.Frame) time.Time { return time.Now().Add(-max(0, shm.Now()-f.At)) }

// passedOver is the reason of pictures for which there was no memory or no time.
const passedOver = "passed_over"

// lose tells of n pictures of a triggered camera that nobody is handed.
func (c *Config) lose(reason string, n uint64, at time.Time) {
	if c.Triggered && n > 0 && c.OnLoss != nil {
		c.OnLoss(Loss{Reason: reason, N: n, At: at})
	}
}
