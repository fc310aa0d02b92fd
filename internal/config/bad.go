package config

import (
	"errors"
	"syscall"
)

// ErrBad is what every fault of a configuration is.
var ErrBad = errors.New("config: bad")

// Bad makes a fault of the configuration of err; its text stays. What the system
// has refused - a file that is absent, a disk that is broken - is none: another
// try may find it well.
func Bad(err error) error {
	if errors.As(err, new(syscall.Errno)) {
		return err
	}
	return bad{err}
}

type bad struct{ error }

func (b bad) Is(target error) bool { return target == ErrBad }

func (b bad) Unwrap() error { return b.error }
