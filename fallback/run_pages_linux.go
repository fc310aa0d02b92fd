package fallback

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks the kernel for huge pages under b: a dilated convolution
// walks through many rows at once, more than the processor has translations
// for small pages. A kernel that has none refuses, which does no harm.
func hugePages(b []byte) {
	const huge = 2 << 20
	if len(b) >= 2*huge {
		_ = unix.Madvise(wholePages(b), unix.MADV_HUGEPAGE)
	}
}

// forget lets the system have the memory of b, a part of a mapped file, back:
// who reads it again reads the file.
func forget(b []byte) {
	if pages := wholePages(b); len(pages) > 0 {
		_ = unix.Madvise(pages, unix.MADV_DONTNEED)
	}
}

// wholePages are the pages that lie in b from end to end.
func wholePages(b []byte) []byte {
	page := os.Getpagesize() // 16384 on a Raspberry Pi 5
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % uintptr(page))
	if len(b) < skip+page {
		return nil
	}
	return b[skip : len(b)-(len(b)-skip)%page]
}
