package wire

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// ends are the two ends of a pair, both as Conns.
func ends(t *testing.T) (parent, worker *Conn) {
	t.Helper()
	parent, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	worker, err = NewConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		parent.Close()
		worker.Close()
	})
	return parent, worker
}

func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Frame{
			Memory: rapid.Uint32().Draw(t, "memory"), Slot: rapid.Byte().Draw(t, "slot"), Ch: rapid.Byte().Draw(t, "ch"),
			Corrupt: rapid.Bool().Draw(t, "corrupt"), Copied: rapid.Bool().Draw(t, "copied"),
			W: rapid.Uint32().Draw(t, "w"), H: rapid.Uint32().Draw(t, "h"), Read: rapid.Uint64().Draw(t, "read"),
			At: time.Duration(rapid.Int64().Draw(t, "at")), Took: time.Duration(rapid.Int64().Draw(t, "took")), Number: rapid.Uint64().Draw(t, "number"),
		}
		b := f.Put(nil)
		if got, err := ParseFrame(b); err != nil || got != f || len(b) != frameBytes {
			t.Fatalf("%+v comes back as %+v, %v", f, got, err)
		}
		r := Release{Memory: f.Memory, Slot: f.Slot}
		if got, err := ParseRelease(r.Put(nil)); err != nil || got != r {
			t.Fatalf("%+v comes back as %+v, %v", r, got, err)
		}
	})
}

func TestMalformed(t *testing.T) {
	good := Frame{}.Put(nil)
	flags := append([]byte(nil), good...)
	flags[3] = 4
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:len(good)-1], "long": append(append([]byte(nil), good...), 0),
		"a release": Release{}.Put(nil), "unknown flags": flags,
	} {
		if _, err := ParseFrame(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("frame, %s: %v", name, err)
		}
	}
	if _, err := ParseRelease(good); !errors.Is(err, ErrMalformed) {
		t.Errorf("a frame as release: %v", err)
	}
	var o Open
	if err := Decode([]byte("\x02{"), &o); !errors.Is(err, ErrMalformed) {
		t.Errorf("half of an object: %v", err)
	}
}

func TestConn(t *testing.T) {
	parent, worker := ends(t)
	sent := Open{Kind: "rtsp", Source: "rtsp://u:p@h/s", Live: true, Skip: 7, FPS: 12.5, FourCC: "MJPG", Timeout: time.Second}
	if err := parent.Send(TypeOpen, sent); err != nil {
		t.Fatal(err)
	}
	if err := parent.SendRelease(Release{Memory: 3, Slot: 2}); err != nil {
		t.Fatal(err)
	}
	typ, b, err := worker.Receive()
	var got Open
	if err != nil || typ != TypeOpen || Decode(b, &got) != nil || !reflect.DeepEqual(got, sent) {
		t.Errorf("received %v %+v, %v", typ, got, err)
	}
	typ, b, err = worker.Receive()
	if r, perr := ParseRelease(b); err != nil || perr != nil || typ != TypeRelease || r.Slot != 2 {
		t.Errorf("received %v %+v, %v, %v", typ, r, err, perr)
	}
	if err := worker.SendFrame(Frame{Read: 5}); err != nil {
		t.Fatal(err)
	}
	typ, b, err = parent.Receive()
	if f, perr := ParseFrame(b); err != nil || perr != nil || typ != TypeFrame || f.Read != 5 {
		t.Errorf("received %v %+v, %v, %v", typ, f, err, perr)
	}
	if err := parent.Send(TypeOpen, Open{Source: strings.Repeat("x", maxMessage)}); err == nil {
		t.Error("a message that cannot be received is sent")
	}
	parent.SetReadDeadline(time.Now().Add(-1))
	if _, _, err := parent.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	worker.Close()
	parent.SetReadDeadline(time.Time{})
	if _, _, err := parent.Receive(); err != io.EOF {
		t.Errorf("after hanging up: %v, want io.EOF", err)
	}
}

// TestSendMemory hands over a file; releases sent meanwhile do not come between.
func TestSendMemory(t *testing.T) {
	parent, worker := ends(t)
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "test")
	defer f.Close()
	f.WriteString("hello")
	go func() {
		for range 50 {
			parent.SendRelease(Release{})
		}
	}()
	if err := parent.SendMemory(Memory{Number: 9, Slots: 4, SlotBytes: 100}, f); err != nil {
		t.Fatal(err)
	}
	for {
		typ, b, err := worker.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if typ == TypeRelease {
			continue
		}
		var m Memory
		if typ != TypeMemory || Decode(b, &m) != nil || m.Number != 9 {
			t.Fatalf("received %v %+v", typ, m)
		}
		break
	}
	got, err := worker.ReceiveDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	text := make([]byte, 5)
	if _, err := got.ReadAt(text, 0); err != nil || string(text) != "hello" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestDescriptorMissing(t *testing.T) {
	parent, worker := ends(t)
	parent.SendRelease(Release{})
	if _, err := worker.ReceiveDescriptor(); !errors.Is(err, ErrMalformed) {
		t.Errorf("a release in place of the memfd: %v", err)
	}
	if f, err := NewConn(os.Stdin); err == nil {
		t.Errorf("a file that is no socket: %v", f)
	}
}

// What a worker said before it died is heard, whether or not it has read what was
// said to it.
func TestLastWordsAreHeard(t *testing.T) {
	for _, unread := range []bool{false, true} {
		here, f, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		there, err := NewConn(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(3) {
			if err := there.SendFrame(Frame{Read: i + 1}); err != nil {
				t.Fatal(err)
			}
		}
		if unread {
			if err := here.SendRelease(Release{}); err != nil {
				t.Fatal(err)
			}
		}
		there.Close()
		for i := range uint64(3) {
			_, b, err := here.Receive()
			if err != nil {
				t.Fatalf("unread %v: message %d: %v", unread, i+1, err)
			}
			if m, err := ParseFrame(b); err != nil || m.Read != i+1 {
				t.Errorf("unread %v: %+v, %v", unread, m, err)
			}
		}
		if _, _, err := here.Receive(); !errors.Is(err, io.EOF) {
			t.Errorf("unread %v: at the end %v", unread, err)
		}
		here.Close()
	}
}
