//go:build (!amd64 && !arm64) || purego

package vec

import "edged/internal/kernel/cpu"

// For gives the routines: all in portable Go.
func For(cpu.Variant) *Routines { return new(Routines) }
