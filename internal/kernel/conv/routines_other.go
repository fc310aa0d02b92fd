//go:build (!amd64 && !arm64) || purego

package conv

import "edged/internal/kernel/cpu"

func tables(cpu.Variant) []*Routines { return nil }
