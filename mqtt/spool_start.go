package mqtt

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"edged/internal/infile"
)

const (
	// retrySpool is how long after a failure the spool is tried again.
	retrySpool = 2 * time.Second

	// closeSpool is how long the last write may take.
	closeSpool = 2 * time.Second

	// firstDetached is the first number of the events of a run that began
	// without its spool. It is far from those of the runs before, which stay the
	// older ones when the file is there again.
	firstDetached = 1 << 32

	// maxSpoolFile is far more than spool_bytes should be: what is in the file is
	// in memory too.
	maxSpoolFile = 1 << 30
)

// newSpool is the spool of a folder, with what an earlier run has left going to
// arrived once start or its writer has the file.
func newSpool(dir string, log *slog.Logger, arrived func([]spooled)) *spool {
	s := &spool{
		path: filepath.Join(dir, "events.spool"), log: log, arrived: arrived, retry: retrySpool,
		openFile: openSpoolFile, pending: map[uint64]spooled{}, done: make(chan struct{}),
	}
	s.wake.L = &s.mu
	return s
}

// start opens the file and begins to write. A folder that is full, read-only,
// another daemon's or broken is no reason not to start: events are kept in memory
// until it heals.
func (s *spool) start() {
	if err := s.attach(); err != nil {
		s.lastID = firstDetached
		s.note(err)
	}
	go s.write()
}

// attach opens the file and takes over what an earlier run has left in it.
func (s *spool) attach() error {
	f, err := s.openFile(s.path)
	if err != nil {
		return fmt.Errorf("mqtt: spool: %w", err)
	}
	old := spool{pending: map[uint64]spooled{}}
	if err = old.load(f); err != nil {
		f.Close()
		return fmt.Errorf("mqtt: spool %s: %w", s.path, err)
	}
	s.mu.Lock()
	s.file, s.size = f, old.size
	left := s.adopt(&old)
	s.mu.Unlock()
	s.arrived(left)
	return nil
}

// openSpoolFile opens a spool's file, made where it is not, for this process
// alone.
func openSpoolFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, _, err := infile.OpenAs(path, os.O_RDWR|os.O_CREATE, maxSpoolFile)
	if err != nil {
		return nil, err
	}
	if err = lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lock keeps a second daemon from writing to the same file. The kernel lets go
// of it when the process ends, however it ends.
func lock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s is in use by another edged: give each its own spool_dir: %w", f.Name(), err)
	}
	return nil
}

// load reads what the file holds and cuts off what is not whole at its end.
func (s *spool) load(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if s.size, err = s.replay(f, info.Size()); err != nil {
		return err
	}
	if s.size == info.Size() {
		return nil // nothing to cut, and nothing to ask of a full disk
	}
	return f.Truncate(s.size)
}

// adopt takes over what the file held and returns it in order. Where this run has
// numbered events already the file's get numbers below theirs, and the file is
// written anew. s.mu is held.
func (s *spool) adopt(old *spool) []spooled {
	left := old.inOrder()
	if s.lastID == 0 {
		s.pending, s.lastID, s.live = old.pending, old.lastID, old.live
		return left
	}
	s.stale = true
	for i := range left {
		left[i].ID = uint64(i + 1)
		s.insert(left[i])
	}
	return left
}

// openSpool queues the events that an earlier run has left, now or when the spool
// can be read. Without a spool_dir events are kept in memory alone.
func (c *Client) openSpool() {
	if c.cfg.SpoolDir == "" {
		return
	}
	c.spool = newSpool(c.cfg.SpoolDir, c.log, c.takeOver)
	c.spool.start()
}

// takeOver queues events of an earlier run. Their topics are made anew: a file is
// no authority on where to publish.
func (c *Client) takeOver(left []spooled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range left {
		if CheckID(e.Camera) != nil {
			c.spool.settle(e.ID)
			continue
		}
		c.produce(&message{kind: KindEvent, cam: e.Camera, topic: c.topics.OfCamera(e.Camera, "event"), payload: e.Payload, qos: 1, seq: e.Seq, spooled: e.ID})
	}
	c.rouse()
}

// SpoolFault is why events cannot be written to the spool at present, nil when
// they can or when there is none.
func (c *Client) SpoolFault() error {
	if c.spool == nil {
		return nil
	}
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	return c.spool.fault
}

func (c *Client) spoolErrors() uint64 {
	if c.spool == nil {
		return 0
	}
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	return c.spool.errors
}
