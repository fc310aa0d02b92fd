//go:build arm64 && !purego

package vec

import "edged/internal/kernel/cpu"

// tableBlock is what one pass of the loop in table_arm64.s handles.
const tableBlock = 16

//go:noescape
func tableNEON(dst, src *byte, blocks int, values *[256]byte)

// look handles whole blocks and returns how many bytes these are.
func (t *Table) look(dst, src []byte) int {
	blocks := len(src) / tableBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	tableNEON(&dst[0], &src[0], blocks, &t.values)
	return blocks * tableBlock
}
