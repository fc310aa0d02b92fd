package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"edged/internal/infile"
)

// mapFile maps the file at path, read only; unmap ends that.
func mapFile(path string) (b []byte, unmap func(), err error) {
	f, size, err := infile.Open(path, infile.Model)
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	if size == 0 {
		return nil, nil, fmt.Errorf("model: %s is empty", path)
	}
	b, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("model: map %s: %w", path, err)
	}
	return b, func() { _ = unix.Munmap(b) }, nil
}
