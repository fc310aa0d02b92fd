package wire

import (
	"bytes"
	"testing"
)

// FuzzMessages: what the other side sends may be anything. It is refused, or it
// means the same when it is said again.
func FuzzMessages(f *testing.F) {
	f.Add(Frame{Memory: 1, Slot: 2, Ch: 3, Corrupt: true, W: 4, H: 5, Read: 6, At: 7, Took: 8}.Put(nil))
	f.Add(Release{Memory: 1, Slot: 2}.Put(nil))
	f.Add(append([]byte{byte(TypeOpened)}, `{"backend":"x","fps":1e999}`...))
	f.Add(append([]byte{byte(TypeWant)}, `{"w":9223372036854775807,"h":2,"ch":3}`...))
	f.Add([]byte{byte(TypeMemory)})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return // Receive refuses it
		}
		if m, err := ParseFrame(b); err == nil {
			if again, err := ParseFrame(m.Put(nil)); err != nil || again != m {
				t.Errorf("%+v became %+v, %v", m, again, err)
			}
		}
		if m, err := ParseRelease(b); err == nil {
			if again, err := ParseRelease(m.Put(nil)); err != nil || again != m {
				t.Errorf("%+v became %+v, %v", m, again, err)
			}
		}
		whole := bytes.Clone(b)
		for _, v := range []any{&Hello{}, &Open{}, &Opened{}, &Failed{}, &Want{}, &Memory{}, &Ended{}} {
			Decode(b, v) // an error or not: it may not panic
		}
		if !bytes.Equal(b, whole) {
			t.Error("the message was changed")
		}
	})
}
