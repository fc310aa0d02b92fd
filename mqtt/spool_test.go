package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, dir string) (*spool, []spooled) {
	t.Helper()
	return openWith(t, dir, slog.New(slog.DiscardHandler))
}

func openWith(t *testing.T, dir string, log *slog.Logger) (s *spool, left []spooled) {
	t.Helper()
	s = newSpool(dir, log, func(e []spooled) { left = e })
	s.start()
	if s.fault != nil {
		t.Fatal(s.fault)
	}
	return s, left
}

func event(n int) spooled {
	return spooled{Camera: "cam", Topic: "edged/n/cam/event", Seq: uint64(n), Payload: json.RawMessage(fmt.Sprintf(`{"seq":%d}`, n))}
}

func seqs(left []spooled) (n []uint64) {
	for _, e := range left {
		n = append(n, e.Seq)
	}
	return n
}

func TestSpoolKeepsWhatIsNotDone(t *testing.T) {
	dir := t.TempDir()
	s, left := open(t, dir)
	if len(left) != 0 {
		t.Fatalf("a new spool holds %v", left)
	}
	ids := map[int]uint64{}
	for n := range 10 {
		ids[n] = s.store(event(n))
	}
	for _, n := range []int{0, 3, 9} {
		s.settle(ids[n])
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s, left = open(t, dir)
	defer s.close()
	if got := fmt.Sprint(seqs(left)); got != "[1 2 4 5 6 7 8]" {
		t.Errorf("left: %s", got)
	}
	if string(left[0].Payload) != `{"seq":1}` || left[0].Topic != "edged/n/cam/event" || left[0].Camera != "cam" {
		t.Errorf("event changed: %+v", left[0])
	}
	if id := s.store(event(11)); id <= ids[9] {
		t.Errorf("id %d was given twice", id)
	}
}

// A file cut anywhere, or with any bit flipped, opens and gives a beginning of
// what it held.
func TestSpoolOpensDamagedFiles(t *testing.T) {
	var whole []byte
	for n := range 5 {
		e := event(n)
		e.ID = uint64(n + 1)
		whole = e.record(whole)
	}
	check := func(what string, b []byte) {
		t.Helper()
		s := &spool{pending: map[uint64]spooled{}}
		good, err := s.replay(bytes.NewReader(b), int64(len(b)))
		if err != nil || good > int64(len(b)) {
			t.Fatalf("%s: %d, %v", what, good, err)
		}
		for i, e := range s.inOrder() {
			if e.Seq != uint64(i) {
				t.Fatalf("%s: event %d has number %d", what, i, e.Seq)
			}
		}
	}
	for n := range len(whole) {
		check(fmt.Sprintf("cut at %d", n), whole[:n])
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1 << (n % 8)
		check(fmt.Sprintf("flip at %d", n), flipped)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.spool"), whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	s, left := open(t, dir)
	if len(left) != 4 {
		t.Errorf("%d events, want the 4 whole ones", len(left))
	}
	s.store(event(9))
	s.close()
	s, left = open(t, dir)
	defer s.close()
	if got := fmt.Sprint(seqs(left)); got != "[0 1 2 3 9]" {
		t.Errorf("after the repair: %s", got)
	}
}

func TestSpoolHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	if _, err := openSpoolFile(s.path); err == nil || !strings.Contains(err.Error(), "in use by another edged") {
		t.Errorf("a second owner: %v", err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s, _ = open(t, dir)
	s.close()
}

func TestSpoolStaysSmall(t *testing.T) {
	for name, pause := range map[string]time.Duration{"a quick disk": 100 * time.Microsecond, "a slow one": 0} {
		t.Run(name, func(t *testing.T) { staysSmall(t, pause) })
	}
}

func staysSmall(t *testing.T, pause time.Duration) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	kept := s.store(event(1))
	big := event(2)
	big.Payload = json.RawMessage(`"` + strings.Repeat("x", 4000) + `"`)
	for range 500 {
		s.settle(s.store(big))
		time.Sleep(pause)
		s.mu.Lock()
		if n := len(s.waiting); n > slack+64<<10 {
			t.Fatalf("%d bytes wait for the disk", n)
		}
		s.mu.Unlock()
	}
	s.settle(s.store(big))
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "events.spool"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > slack+64<<10 {
		t.Errorf("2 MB passed through and %d bytes are left", info.Size())
	}
	s, left := open(t, dir)
	if len(left) != 1 || left[0].ID != kept {
		t.Errorf("left: %v", seqs(left))
	}
	s.settle(kept)
	s.close()
	if info, _ = os.Stat(filepath.Join(dir, "events.spool")); info.Size() != 0 {
		t.Errorf("nothing is pending and the file has %d bytes", info.Size())
	}
}

// A write that fails is said once and made good by the next that works.
func TestSpoolOutlivesAFailedWrite(t *testing.T) {
	dir := t.TempDir()
	var text lockedBuffer
	s, _ := openWith(t, dir, slog.New(slog.NewTextHandler(&text, nil)))
	s.mu.Lock()
	good := s.file
	closed, err := os.Open(os.DevNull) // cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	s.file = closed
	s.mu.Unlock()
	s.store(event(1))
	waitFor(t, "the failure to be counted", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.errors > 0 })
	s.mu.Lock()
	s.file = good
	s.mu.Unlock()
	closed.Close()
	s.store(event(2))
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "cannot be written"); n != 1 {
		t.Errorf("said %d times: %s", n, text.String())
	}
	s, left := open(t, dir)
	defer s.close()
	if got := fmt.Sprint(seqs(left)); got != "[1 2]" {
		t.Errorf("left: %s", got)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for " + what)
		}
	}
}
