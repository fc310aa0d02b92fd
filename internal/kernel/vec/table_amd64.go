//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// tableBlock is what one pass of the loop in table_amd64.s handles.
const tableBlock = 64

//go:noescape
func tableAVX2(dst, src *byte, blocks int, steps *[256]byte)

// look handles whole blocks and returns how many bytes these are.
func (t *Table) look(dst, src []byte) int {
	blocks := len(src) / tableBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	tableAVX2(&dst[0], &src[0], blocks, &t.steps)
	return blocks * tableBlock
}
