//go:build arm64 && !purego

package vec

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: NEON serves a machine with
// the dot product too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return new(Routines)
	}
	return &neon
}

var neon = Routines{
	maxF32: of(maxF32NEON, 4),
	addF32: of(addF32NEON, 4),
	maxI8:  of(maxI8NEON, 16),
	maxU8:  of(maxU8NEON, 16),

	widenI8: of(widenI8NEON, 16),
	widenU8: of(widenU8NEON, 16),
	table:   of(tableBlocks, 16),

	sumRowsI8: of(sumRowsI8NEON, 16),
	sumRowsU8: of(sumRowsU8NEON, 16),

	lerpF32: of(lerpPixels, 4),
}

// The routines of files whose names end in _arm64.s.
func maxF32NEON(dst, src *float32, blocks int)
func addF32NEON(dst, src *float32, blocks int)
func maxI8NEON(dst, src *int8, blocks int)
func maxU8NEON(dst, src *uint8, blocks int)
func widenI8NEON(dst *int16, src *byte, blocks int, zero int16)
func widenU8NEON(dst *int16, src *byte, blocks int, zero int16)
func sumRowsI8NEON(acc *int32, src *byte, blocks, rows, stride int)
func sumRowsU8NEON(acc *int32, src *byte, blocks, rows, stride int)

//go:noescape
func tableNEON(dst, src *byte, blocks int, values *[256]byte)

func tableBlocks(dst, src *byte, blocks int, t *Table) { tableNEON(dst, src, blocks, &t.values) }

//go:noescape
func lerpF32NEON(c *lerpCall)

func lerpPixels(l *LerpF32, dst, top, bottom *float32, t float32) {
	c := l.call(4, dst, top, bottom, t)
	lerpF32NEON(&c)
}
