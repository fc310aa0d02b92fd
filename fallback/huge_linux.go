package fallback

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks the kernel for huge pages under b: a dilated convolution
// walks through many rows at once, more than the processor has translations
// for small pages. A kernel that has none refuses, which does no harm.
func hugePages(b []byte) {
	const page, huge = 4096, 2 << 20
	if len(b) < 2*huge {
		return
	}
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % page)
	_ = unix.Madvise(b[skip:len(b)-(len(b)-skip)%page], unix.MADV_HUGEPAGE)
}
