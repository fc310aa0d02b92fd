// Package evidence keeps the frames that rules found fault with: picture, mask and
// result in one PNG file each, written whole or not at all, by age, count and bytes.
// Nothing on the frame path waits for the disk: what finds no room in a short queue
// is dropped and counted.
package evidence

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edged"
	"edged/internal/mono"
	"edged/internal/spare"
)

// Config is where evidence is kept, and how much of it.
type Config struct {
	Dir      string
	MaxAge   time.Duration // 0: no limit
	MaxCount int
	MaxBytes int64

	Wait bool // for room in the queue instead of dropping: nobody's line stands still meanwhile
	Log  *slog.Logger
}

// Default are the limits of evidence, unless told otherwise.
func Default() Config {
	return Config{MaxAge: 30 * 24 * time.Hour, MaxCount: 1000, MaxBytes: 512 << 20}
}

const (
	// depth is how many frames wait for the disk, of all cameras together.
	depth = 4

	// keptBuffer is how large a waiting frame's memory may stay between two.
	keptBuffer = 4 << 20

	// restFor is how many times the time that a picture took none is encoded
	// afterwards: evidence takes at most a tenth of a core.
	restFor = 9

	// retryAfter is how long a disk that has refused is left alone.
	retryAfter = 5 * time.Second

	// tidyEvery is how often the age of what is kept is looked at.
	tidyEvery = time.Minute
)

// Why a frame is not kept.
const (
	Busy     = "busy"      // the queue is full
	Disk     = "disk"      // the folder cannot be written
	TooLarge = "too_large" // for max_bytes
)

// Result is what is kept of a result beside frame and mask. Body is its JSON.
type Result struct {
	Seq  uint64
	Time time.Time
	Body func() ([]byte, error)
}

// record is a copy of what is kept, on its way to the disk.
type record struct {
	camera string
	frame  edged.Frame
	mask   edged.Mask
	seq    uint64
	time   time.Time
	body   []byte
}

// Store keeps evidence in one folder. Offer may be called from any goroutine.
type Store struct {
	cfg      Config
	patience time.Duration // with a disk that has refused
	free     chan *record
	work     chan *record
	stop     chan struct{}
	done     chan struct{}

	// What only run touches.
	scanned bool  // what the folder holds from before is known
	wanted  int64 // bytes of the file that there was no room for last

	refused mono.Moment // until then the disk is left alone

	mu      sync.Mutex
	index   index
	fault   error
	dropped map[string]uint64
	kept    uint64
	ended   bool
}

// Open begins to keep evidence; what the folder holds already counts too. It never
// fails: a folder that cannot be used is a Fault, and is tried again.
func Open(cfg Config) *Store { return open(cfg, retryAfter) }

func open(cfg Config, patience time.Duration) *Store {
	s := &Store{
		cfg: cfg, patience: patience, free: make(chan *record, depth), work: make(chan *record, depth),
		stop: make(chan struct{}), done: make(chan struct{}), dropped: map[string]uint64{},
	}
	for range depth {
		s.free <- &record{}
	}
	go s.run()
	return s
}

// Offer keeps a frame with its mask and result, or counts why not. All is lent
// until it returns.
func (s *Store) Offer(camera string, f *edged.Frame, m *edged.Mask, r Result) {
	if time.Now().Before(s.refused.Load()) {
		s.drop(Disk)
		return
	}
	rec := s.room()
	if rec == nil {
		s.drop(Busy)
		return
	}
	body, err := r.Body()
	if err != nil {
		body, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	rec.fill(camera, f, m, r.Seq, r.Time, body)
	select {
	case s.work <- rec: // there is room for each record that there is
	case <-s.stop:
		s.drop(Busy)
	}
}

// room is a record to fill, nil where there is none.
func (s *Store) room() *record {
	select {
	case rec := <-s.free:
		return rec
	default:
	}
	if !s.cfg.Wait {
		return nil
	}
	select {
	case rec := <-s.free:
		return rec
	case <-s.stop:
		return nil
	}
}

func (r *record) fill(camera string, f *edged.Frame, m *edged.Mask, seq uint64, at time.Time, body []byte) {
	pix, ids := r.frame.Pix, r.mask.Pix
	r.camera, r.seq, r.time, r.body = camera, seq, at, body
	r.frame, r.mask = *f, *m
	r.frame.Pix = append(pix[:0], f.Pix[:(f.H-1)*f.Stride+f.W*f.Format.Channels()]...)
	r.mask.Pix = append(ids[:0], m.Pix[:(m.H-1)*m.Stride+m.W]...)
}

// release gives a record back, without memory that is large.
func (s *Store) release(r *record) {
	if cap(r.frame.Pix) > keptBuffer {
		r.frame.Pix = nil
	}
	s.free <- r
}

func (s *Store) drop(why string) {
	s.mu.Lock()
	s.dropped[why]++
	s.mu.Unlock()
}

// run is the only one that touches the disk for writing.
func (s *Store) run() {
	defer close(s.done)
	s.probe()
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		retry := s.retry()
		select {
		case rec := <-s.work:
			took := s.keep(rec)
			s.release(rec)
			s.rest(took)
		case <-tick.C:
			s.tidy()
		case <-retry:
			s.probe()
		case <-s.stop:
			s.drain()
			return
		}
	}
}

// rest leaves the processor to the frames, as long as nobody waits.
func (s *Store) rest(took time.Duration) {
	if s.cfg.Wait {
		return
	}
	select {
	case <-time.After(restFor * took):
	case <-s.stop:
	}
}

// drain keeps what waits at the end.
func (s *Store) drain() {
	for {
		select {
		case rec := <-s.work:
			s.keep(rec)
		default:
			return
		}
	}
}

// Close keeps what waits, for a limited time: a disk may hang. It tells whether it
// came to that.
func (s *Store) Close(limit time.Duration) bool {
	s.mu.Lock()
	if !s.ended {
		close(s.stop)
	}
	s.ended = true
	s.mu.Unlock()
	select {
	case <-s.done:
		return true
	case <-time.After(limit):
		return false
	}
}

// keep writes one record and tells what it took of a processor to encode.
func (s *Store) keep(r *record) time.Duration {
	var data []byte
	var err error
	took := spare.ProcessorTime(func() { data, err = encode(r) })
	if err != nil {
		s.trouble(fmt.Errorf("evidence: %w", err))
		s.drop(Disk)
		return took
	}
	if int64(len(data)) > s.cfg.MaxBytes {
		s.drop(TooLarge)
		return took
	}
	f := file{camera: r.camera, id: idOf(r.time, r.seq), size: int64(len(data)), at: r.time}
	err = s.prune(1, f.size)
	if err == nil {
		err = s.write(f, data)
	}
	if s.trouble(err); err != nil {
		s.wanted = f.size
		s.drop(Disk)
		return took
	}
	s.mu.Lock()
	s.kept++
	s.index.add(f)
	s.mu.Unlock()
	return took
}

// trouble notes how the folder fares; nil: well.
func (s *Store) trouble(err error) {
	var until time.Time
	if err != nil && !s.cfg.Wait {
		until = time.Now().Add(s.patience)
	}
	s.refused.Store(until)
	s.mu.Lock()
	s.fault = err
	s.mu.Unlock()
}

// retry is when a disk that has refused is tried again, nil where none has.
func (s *Store) retry() <-chan time.Time {
	if s.Fault() == nil {
		return nil
	}
	return time.After(s.patience)
}

// Fault is why nothing can be kept at present, nil where it can.
func (s *Store) Fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Account is what is kept and what was not.
type Account struct {
	Count   int               // files there are
	Bytes   int64             // that they take
	Kept    uint64            // since the start
	Dropped map[string]uint64 // since the start, by why
	Fault   error             // of the folder, at present
}

// Account is how things stand.
func (s *Store) Account() Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := Account{Count: len(s.index.files), Bytes: s.index.bytes, Kept: s.kept, Dropped: map[string]uint64{}, Fault: s.fault}
	for why, n := range s.dropped {
		a.Dropped[why] = n
	}
	return a
}
