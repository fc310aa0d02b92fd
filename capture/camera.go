package capture

import (
	"context"
	"sync"
	"time"

	"edged"
	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// camera is a Source fed by worker processes. The supervisor offers frames to
// its mailbox; Next takes them out.
type camera struct {
	cfg  Config
	kind Kind
	live bool

	mu     sync.Mutex
	counts tally
	queue  [maxSlots]held // the mailbox, oldest first from head
	head   int
	n      int
	lent   held  // what the caller has
	end    error // what Next returns once the mailbox is empty
	closed bool

	opened  wire.Opened // as the latest worker described it
	library string

	asks  *wire.Conn // who has to be asked for each picture, nil: nobody
	asked bool       // for the next one

	enough Enough     // how coarse the pictures may be
	worker *wire.Conn // who is told of a change

	wake   chan struct{} // a frame was offered or refused, or the end was set
	taken  chan struct{} // the mailbox was emptied
	cancel context.CancelFunc
	done   chan struct{} // the supervisor has returned
}

// held is a frame in a slot that is ours until let go.
type held struct {
	frame edged.Frame
	mem   *memory // nil: nothing is held
	slot  uint8
}

// memory is one segment and those who use it: its session, and every frame
// held of it. The last one to let go unmaps it. Guarded by camera.mu.
type memory struct {
	seg    *shm.Segment
	conn   *wire.Conn
	number uint32
	users  int
}

func (m *memory) letGo() {
	if m.users--; m.users == 0 {
		m.seg.Close()
	}
}

// letGo gives the slot back to the worker, if that still lives. It is called
// with camera.mu held; the socket has room for every slot there is.
func (h *held) letGo() {
	if h.mem == nil {
		return
	}
	h.mem.conn.SendRelease(wire.Release{Memory: h.mem.number, Slot: h.slot}) // a dead worker needs no slot
	h.mem.letGo()
	*h = held{}
}

// Next implements Source.
func (c *camera) Next(ctx context.Context, f *edged.Frame) error {
	for {
		ok, err := c.take(f)
		if ok || err != nil {
			return err
		}
		c.ask()
		select {
		case <-c.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take gives back what was lent and lends the oldest frame of the mailbox that
// is not stale.
func (c *camera) take(f *edged.Frame) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lent.letGo()
	if c.closed {
		return false, ErrClosed
	}
	for c.n > 0 {
		h := c.pop()
		if c.live && !c.cfg.keepsAll() && c.cfg.MaxAge > 0 && time.Since(h.frame.Time) > c.cfg.MaxAge {
			c.counts.refuse(&c.counts.By.Stale, 1)
			h.letGo()
			continue
		}
		c.counts.Read++
		c.counts.Delivered++
		c.lent = h
		*f = h.frame
		nudge(c.taken)
		return true, nil
	}
	return false, c.end
}

// ask has a source that is polled bring the next picture.
func (c *camera) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asks != nil && !c.asked {
		c.asked = true
		c.asks.SendAsk() // a dead worker is replaced
	}
}

// answered has who waits ask again: a picture came, whatever became of it.
func (c *camera) answered() {
	c.mu.Lock()
	polled := c.asks != nil
	c.asked = false
	c.mu.Unlock()
	if polled {
		nudge(c.wake)
	}
}

func (c *camera) pop() held {
	h := c.queue[c.head]
	c.queue[c.head] = held{}
	c.head = (c.head + 1) % len(c.queue)
	c.n--
	return h
}

// offer puts a frame into the mailbox. Unless every frame counts, it takes the
// place of the one before.
func (c *camera) offer(h held) {
	c.mu.Lock()
	dropped := uint64(0)
	for c.n > 0 && !c.cfg.keepsAll() || c.n == len(c.queue) {
		c.drop()
		dropped++
	}
	c.queue[(c.head+c.n)%len(c.queue)] = h
	c.n++
	c.mu.Unlock()
	c.cfg.lose(passedOver, dropped, h.frame.Time)
	nudge(c.wake)
}

// drop passes over the oldest frame of the mailbox.
func (c *camera) drop() {
	old := c.pop()
	c.counts.passOver(1)
	old.letGo()
}

// shed passes over what waits in memory before keep: a caller that takes nothing
// while a camera comes and goes holds the memory of two connections at most.
func (c *camera) shed(keep *memory) {
	c.mu.Lock()
	dropped := uint64(0)
	for c.n > 0 && keep != nil && c.queue[c.head].mem != keep {
		c.drop()
		dropped++
	}
	c.mu.Unlock()
	c.cfg.lose(passedOver, dropped, time.Now())
}

func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// emptied waits until the caller has taken everything out of the mailbox, and
// tells whether it did before ctx ended.
func (c *camera) emptied(ctx context.Context) bool {
	for {
		c.mu.Lock()
		n := c.n
		c.mu.Unlock()
		if n == 0 {
			return true
		}
		select {
		case <-c.taken:
		case <-ctx.Done():
			return false
		}
	}
}

// finish ends the source: Next empties the mailbox, then returns err.
func (c *camera) finish(err error) {
	c.mu.Lock()
	if c.end == nil {
		c.end = err
	}
	c.mu.Unlock()
	nudge(c.wake)
}

// Counts implements Source.
func (c *camera) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts.Counts
	counts.Waiting = uint64(c.n)
	return counts
}

// describe fills in what the worker told of the source.
func (c *camera) describe(i *Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.FPS, i.Backend, i.FourCC, i.Frames, i.Library = c.opened.FPS, c.opened.Backend, c.opened.FourCC, c.opened.Frames, c.library
	i.Opened = c.opened.Backend != ""
}

// note changes the counts under the lock.
func (c *camera) note(change func(*tally)) {
	c.mu.Lock()
	change(&c.counts)
	c.mu.Unlock()
}

// Close implements Source.
func (c *camera) Close() error {
	c.cancel()
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.lent.letGo()
	for c.n > 0 {
		c.drop()
	}
	nudge(c.wake)
	return nil
}
