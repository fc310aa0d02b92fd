package child

import "sync"

// A child's first words tell why it failed, its last what it died of.
const (
	headBytes = 4 << 10
	tailBytes = 16 << 10
)

// words keeps the beginning and the end of what is written to it.
type words struct {
	mu   sync.Mutex
	head []byte
	tail []byte // the last tailBytes or so behind the head
	lost bool   // something between them was dropped
}

// Write implements io.Writer and takes everything.
func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(b)
	room := min(headBytes-len(w.head), n)
	w.head, b = append(w.head, b[:room]...), b[room:]
	if len(b) > tailBytes {
		b, w.lost = b[len(b)-tailBytes:], true
	}
	if len(w.tail)+len(b) > 2*tailBytes {
		w.tail, w.lost = append(w.tail[:0], w.tail[len(w.tail)-tailBytes:]...), true
	}
	w.tail = append(w.tail, b...)
	return n, nil
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	tail, between := w.tail, ""
	if len(tail) > tailBytes {
		tail = tail[len(tail)-tailBytes:]
	}
	if w.lost || len(tail) < len(w.tail) {
		between = "\n[...]\n"
	}
	return string(w.head) + between + string(tail)
}
