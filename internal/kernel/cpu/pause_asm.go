//go:build (amd64 || arm64) && !purego

package cpu

// Pause tells the processor that this thread waits for another one's memory:
// well below a microsecond, at little power.
func Pause()
