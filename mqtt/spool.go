package mqtt

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// The spool is one file of records, appended to and never changed in place:
//
//	uint32 length of body, little endian
//	uint32 CRC-32 (Castagnoli) of body
//	body: type (1 byte), id (uint64), and for a stored event its JSON
//
// A record of type 'E' stores event id, one of type 'D' says that id is done.
// What a power cut left half-written at the end fails its CRC and is cut off.
// When nothing is pending the file is emptied; when the done part outweighs the
// pending one it is written anew.
const (
	recordEvent = 'E'
	recordDone  = 'D'

	recordHead = 8
	recordMin  = 9
	recordMax  = 64 << 20 // more than any event: a length that is damage

	// slack is how much of the file may be done with before it is written anew.
	slack = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spooled is an event as the file stores it.
type spooled struct {
	ID      uint64          `json:"-"`
	Camera  string          `json:"camera"`
	Topic   string          `json:"topic"`
	Seq     uint64          `json:"seq"`
	Payload json.RawMessage `json:"payload"`
}

// spool writes in a goroutine of its own, so that neither a producer nor the
// publisher ever waits for the disk. Records that come while it writes go into
// one write and one fsync.
type spool struct {
	file *os.File // nil: it cannot be had yet; the writer's alone once that runs
	path string
	log  *slog.Logger
	said saidOnce

	openFile func(path string) (*os.File, error)
	arrived  func([]spooled) // gets what an earlier run has left
	retry    time.Duration   // from a failure to the next try

	mu      sync.Mutex
	wake    sync.Cond
	pending map[uint64]spooled
	waiting []byte // records to append
	lastID  uint64
	live    int64 // bytes of the pending records, about
	size    int64 // of the file
	stale   bool  // the file lacks records: a write has failed
	anew    bool  // so much has waited that the file is written anew
	errors  uint64
	fault   error // why stale
	due     bool  // it is time to try again
	closed  bool
	done    chan struct{}
}

// replay reads records from r, which holds size bytes, up to the first that is
// not whole and returns where that begins.
func (s *spool) replay(r io.Reader, size int64) (good int64, err error) {
	in := bufio.NewReader(r)
	var head [recordHead]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return good, unlessCut(err)
		}
		n := binary.LittleEndian.Uint32(head[:])
		if n < recordMin || n > recordMax || int64(n) > size-good-recordHead { // never allocate more than is there
			return good, nil
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return good, unlessCut(err)
		}
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) || !s.apply(body) {
			return good, nil
		}
		good += recordHead + int64(n)
	}
}

func unlessCut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func (s *spool) apply(body []byte) bool {
	id := binary.LittleEndian.Uint64(body[1:])
	s.lastID = max(s.lastID, id)
	switch body[0] {
	case recordDone:
		s.remove(id)
		return true
	case recordEvent:
		e := spooled{ID: id}
		if json.Unmarshal(body[recordMin:], &e) != nil {
			return false
		}
		s.insert(e)
		return true
	}
	return false
}

func (s *spool) insert(e spooled) {
	s.remove(e.ID) // a damaged file may name one twice
	s.pending[e.ID] = e
	s.live += e.size()
}

func (s *spool) remove(id uint64) {
	if e, ok := s.pending[id]; ok {
		s.live -= e.size()
		delete(s.pending, id)
	}
}

func (e spooled) size() int64 { return int64(len(e.Payload)+len(e.Topic)+len(e.Camera)) + 64 }

func (s *spool) inOrder() []spooled {
	return slices.SortedFunc(maps.Values(s.pending), func(a, b spooled) int { return cmp.Compare(a.ID, b.ID) })
}

func appendRecord(dst []byte, kind byte, id uint64, data []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, recordHead)...)
	dst = binary.LittleEndian.AppendUint64(append(dst, kind), id)
	dst = append(dst, data...)
	body := dst[at+recordHead:]
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+4:], crc32.Checksum(body, castagnoli))
	return dst
}

func (e spooled) record(dst []byte) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic("BUG: " + err.Error()) // the payload came out of json.Marshal
	}
	return appendRecord(dst, recordEvent, e.ID, data)
}

// store notes an event and returns its id.
func (s *spool) store(e spooled) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	e.ID = s.lastID
	s.insert(e)
	s.waiting = e.record(s.waiting)
	s.notify()
	return e.ID
}

// notify wakes the writer. What a slow disk has not taken before it was done
// with is forgotten: the records that wait are bounded as the file is. s.mu is held.
func (s *spool) notify() {
	if int64(len(s.waiting)) > 2*s.live+slack {
		s.anew, s.waiting = true, appendRecord(nil, recordDone, 0, nil)
	}
	s.wake.Signal()
}

// settle notes that an event need not be sent again.
func (s *spool) settle(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(id)
	s.waiting = appendRecord(s.waiting, recordDone, id, nil)
	s.notify()
}

// write appends what waits until close.
func (s *spool) write() {
	defer close(s.done)
	for s.await() {
		if s.file == nil {
			if err := s.attach(); err != nil {
				s.note(err)
				continue
			}
		}
		s.mu.Lock()
		rewrite, batch := s.batch()
		s.mu.Unlock()
		s.note(s.put(rewrite, batch))
	}
}

// await waits for something to write, or for the time to try again after a
// failure, and tells whether there is any.
func (s *spool) await() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && !s.due && !s.closed {
		s.wake.Wait()
	}
	more := len(s.waiting) > 0 || s.due && !s.closed
	s.due = false
	if s.file == nil {
		s.waiting = nil // all that is pending is written once there is a file
	}
	return more
}

// batch is what to write now: the records that wait, or the whole pending part
// when the file is to be written anew. s.mu is held.
func (s *spool) batch() (rewrite bool, batch []byte) {
	if s.stale || s.anew || s.size+int64(len(s.waiting)) > 2*s.live+slack || len(s.pending) == 0 {
		s.anew = false
		for _, e := range s.inOrder() {
			batch = e.record(batch)
		}
		s.waiting = nil
		return true, batch
	}
	batch, s.waiting = s.waiting, nil
	return false, batch
}

// put writes a batch at the end of the file, or in place of the file.
func (s *spool) put(rewrite bool, batch []byte) error {
	if !rewrite {
		n, err := s.file.WriteAt(batch, s.size)
		if err != nil {
			_ = s.file.Truncate(s.size) // a half-written record would hide those after it
			return err
		}
		s.size += int64(n)
		return s.file.Sync()
	}
	if len(batch) == 0 {
		s.size = 0
		return s.file.Truncate(0)
	}
	return s.replace(batch)
}

func (s *spool) replace(batch []byte) error {
	f, err := os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err = lock(f); err == nil {
		_, err = f.Write(batch)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		f.Close()
		_ = os.Remove(s.path + ".new")
		return err
	}
	s.file.Close()
	s.file, s.size = f, int64(len(batch))
	return nil
}

// note counts a failure and sees to another try, whether or not events come. The
// next batch then writes the whole pending part, because the file may lack
// records of this one.
func (s *spool) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
	if s.stale = err != nil; !s.stale {
		if s.said.clear("spool") {
			s.log.Info("events are written to the spool again", "file", s.path)
		}
		return
	}
	s.errors++
	s.said.once(s.log, "spool", "events cannot be written to the spool: they are kept in memory alone", "error", err, "file", s.path, "cure", "make room on the disk or correct spool_dir; it is tried again by itself")
	time.AfterFunc(s.retry, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.due = s.stale
		s.wake.Signal()
	})
}

// close writes what waits and closes the file.
func (s *spool) close() error {
	s.mu.Lock()
	if s.stale { // one more try to have everything on the disk
		s.waiting = appendRecord(s.waiting, recordDone, 0, nil)
	}
	s.closed = true
	s.wake.Signal()
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(closeSpool): // a disk that hangs is not waited for at the end
		return fmt.Errorf("mqtt: spool %s: the disk did not answer within %v", s.path, closeSpool)
	}
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("mqtt: spool: %w", err)
	}
	return nil
}

func (c *Client) closeSpool() error {
	if c.spool == nil {
		return nil
	}
	return c.spool.close()
}

// keep stores an event so that it survives a restart.
func (c *Client) keep(m *message) {
	if c.spool != nil {
		m.spooled = c.spool.store(spooled{Camera: m.cam, Topic: m.topic, Seq: m.seq, Payload: m.payload})
	}
}

// release lets an event go that was acknowledged or dropped.
func (c *Client) release(m *message) {
	if m.spooled != 0 {
		c.spool.settle(m.spooled)
	}
}
