package child

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

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

// memoryFile is a file in memory that everybody appends to: it outlives the
// child, and no child waits to write to it.
func memoryFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("edged-child-stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("child: memfd: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("child: memfd: %w", err)
	}
	return os.NewFile(uintptr(fd), "edged-child-stderr"), nil
}

// readWords is the same extract of a file.
func readWords(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	var w words
	_, _ = io.Copy(&w, io.NewSectionReader(f, 0, headBytes)) // what can be read of it is better than nothing
	from := max(headBytes, info.Size()-tailBytes)
	w.lost = from > headBytes
	_, _ = io.Copy(&w, io.NewSectionReader(f, from, tailBytes))
	return w.String()
}
