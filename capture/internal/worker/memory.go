package worker

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// What a worker may take of private memory. An opening takes the libraries', and
// a camera's own claims - streams by the thousand - must fit in beside them. A
// picture takes its decoder's reference frames (16 and as many as there are
// threads, 1.5 bytes a pixel), or the coefficients of a progressive JPEG, and
// its copies in BGR.
const (
	openingBytes = 288 << 20
	threadBytes  = 16 << 20 // stacks and arenas, of the decoder's threads
	pixelBytes   = 45
)

// MemoryFor is the private memory that a worker needs for pictures of so many
// pixels, 0: to open a source.
func MemoryFor(pixels int64) int64 {
	return openingBytes + threadBytes*int64(runtime.NumCPU()) + pixelBytes*pixels
}

// Allow holds this process to the memory for pictures of so many pixels. Its
// parent has set a limit above, which stays.
func Allow(pixels int64) error {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &r); err != nil {
		return fmt.Errorf("worker: memory limit: %w", err)
	}
	if r.Max == unix.RLIM_INFINITY { // started by hand, or by a test
		return nil
	}
	r.Cur = min(uint64(MemoryFor(pixels)), r.Max)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &r); err != nil {
		return fmt.Errorf("worker: memory limit: %w", err)
	}
	return nil
}
