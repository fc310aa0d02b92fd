// Package atomicfile writes files that are there whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write writes beside path, waits until the disk has it, and renames.
func Write(path string, b []byte) error { return write(path, b, modeFor(path)) }

// WritePrivate is Write of a file that is its owner's alone.
func WritePrivate(path string, b []byte) error { return write(path, b, 0o600) }

// Try tells at the start of long work what Write would fail with at its end, as
// far as that can be known: no such folder, no right to write there, a name that
// is a folder's or a device's.
func Try(path string) error {
	if err := replaceable(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return unwritable(path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

func unwritable(path string, err error) error {
	return fmt.Errorf("write %s: %w: does its folder exist, and may you write there?", path, causeOf(err))
}

// replaceable refuses to put a file in the place of a folder or a device, which
// would be gone then.
func replaceable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil || info.Mode().IsRegular():
		return nil // what is wrong with a path is told by who writes there
	case info.IsDir():
		return fmt.Errorf("write %s: it is a folder: name a file in it", path)
	}
	return fmt.Errorf("write %s: it is no regular file (%s): name one", path, info.Mode().Type())
}

func write(path string, b []byte, mode os.FileMode) (err error) {
	if err := replaceable(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return unwritable(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, causeOf(err))
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// causeOf takes the names from an error about a file: they are of the temporary
// file, and what the user named is another.
func causeOf(err error) error {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// modeFor keeps the permissions of a file that is replaced.
func modeFor(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
