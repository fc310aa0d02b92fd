//go:build !linux

package page

import "time"

var started = time.Now()

// threadTime is the clock's where the thread's own is not to be had: more, so
// that the page takes less.
func threadTime() time.Duration { return time.Since(started) }
