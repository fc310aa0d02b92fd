// Package infile is the one way to open a file that comes from outside: a model,
// a config, a key, a picture, what an earlier run left. It must be a regular file
// of a size that its reader expects. A pipe is not waited for, a device is not
// touched, and what is too large is refused before memory is asked for.
package infile

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// What files of a kind hold at most, in bytes.
const (
	Model   = 1<<31 - 1 // offsets in a .tflite are signed and of 32 bits
	Text    = 4 << 20   // configs, manifests, keys, certificates, state
	Picture = 256 << 20
)

// maxPixels is what a picture holds at most: as a frame, 300 MB.
const maxPixels = 100 << 20

// Open opens the file at path for reading and gives its size, at most most.
func Open(path string, most int64) (*os.File, int64, error) {
	return OpenAs(path, os.O_RDONLY, most)
}

// OpenAs is Open with other flags; with os.O_CREATE a missing file is made, for
// its owner alone.
func OpenAs(path string, flag int, most int64) (*os.File, int64, error) {
	// Looked at first: to open some devices is to use them.
	info, err := os.Stat(path)
	if err == nil {
		err = check(path, info, most)
	} else if errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0 {
		err = nil
	}
	if err != nil {
		return nil, 0, renamed(err)
	}
	f, err := os.OpenFile(path, flag|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0o600)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info, most) // it may be another by now
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// renamed has an error of stat speak of open, as the user sees it.
func renamed(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) && at.Op == "stat" {
		return &fs.PathError{Op: "open", Path: at.Path, Err: at.Err}
	}
	return err
}

// refused is why a file is not opened, beside an error of the system that is the
// nearest.
type refused struct {
	text string
	errno
}

type errno = syscall.Errno

func (r refused) Error() string { return r.text }

// Unwrap gives the error of the system.
func (r refused) Unwrap() error { return r.errno }

func check(path string, info fs.FileInfo, most int64) error {
	no := func(e errno, format string, args ...any) error {
		return &fs.PathError{Op: "open", Path: path, Err: refused{fmt.Sprintf(format, args...), e}}
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return no(syscall.EISDIR, "is a directory, not a file")
	case mode&fs.ModeNamedPipe != 0:
		return no(syscall.EINVAL, "is a pipe: a regular file is needed")
	case mode&fs.ModeSocket != 0:
		return no(syscall.EINVAL, "is a socket: a regular file is needed")
	case mode&fs.ModeDevice != 0:
		return no(syscall.EINVAL, "is a device: a regular file is needed")
	case !mode.IsRegular():
		return no(syscall.EINVAL, "is no regular file")
	case info.Size() > most:
		return no(syscall.EFBIG, "has %d bytes: at most %d are read", info.Size(), most)
	}
	return nil
}

// Read reads the whole file at path, of at most most bytes.
func Read(path string, most int64) ([]byte, error) {
	f, size, err := Open(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What is written to the file meanwhile is not followed for ever.
	b := make([]byte, 0, size+1)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if int64(len(b)) > most {
			return nil, &fs.PathError{Op: "read", Path: path, Err: refused{fmt.Sprintf("grows: at most %d bytes are read", most), syscall.EFBIG}}
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// WithoutBOM is a text without the byte order mark that some editors write first.
func WithoutBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }

// Image decodes the picture at path, in a format that the program has registered,
// and names the format. Its size is looked at before its pixels.
func Image(path string) (img image.Image, format string, err error) {
	f, _, err := Open(path, Picture)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	head, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, "", err
	}
	if int64(head.Width)*int64(head.Height) > maxPixels {
		return nil, "", fmt.Errorf("%dx%d is over %d pixels", head.Width, head.Height, maxPixels)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	return image.Decode(f)
}
