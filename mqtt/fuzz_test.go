package mqtt

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// FuzzSpool: a spool file may hold anything. What is read from it is what is
// read again after everything behind it has been cut off, and writing that
// anew loses nothing.
func FuzzSpool(f *testing.F) {
	good := event(1).record(nil)
	f.Add(good, []byte{})
	f.Add(appendRecord(event(2).record(bytes.Clone(good)), recordDone, 0, nil), []byte(`{"seq":3}`))
	f.Add(append(bytes.Clone(good), 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0), []byte{})
	f.Add(good[:len(good)-1], []byte("null"))
	f.Fuzz(func(t *testing.T, file, data []byte) {
		if len(data) > 0 { // no accident finds a sum that fits, so give it one
			file = appendRecord(file, recordDone+data[0]%3, uint64(data[0]), data[1:])
		}
		read := func(b []byte) (*spool, int64) {
			s := &spool{pending: map[uint64]spooled{}}
			n, err := s.replay(bytes.NewReader(b), int64(len(b)))
			if err != nil || n > int64(len(b)) {
				t.Fatalf("%d of %d bytes are good, %v", n, len(b), err)
			}
			return s, n
		}
		s, n := read(file)
		again, m := read(file[:n])
		if d := gocmp.Diff(s.inOrder(), again.inOrder()); m != n || d != "" {
			t.Errorf("%d good bytes, then %d: %s", n, m, d)
		}
		if !slices.IsSortedFunc(s.inOrder(), func(a, b spooled) int { return cmp.Compare(a.ID, b.ID) }) {
			t.Error("not in the order of the events")
		}
		s.stale = true
		_, batch := s.batch()
		rewritten, _ := read(batch)
		if len(rewritten.pending) != len(s.pending) || rewritten.live != s.live {
			t.Errorf("%d events of %d bytes written anew are %d of %d", len(s.pending), s.live, len(rewritten.pending), rewritten.live)
		}
	})
}
