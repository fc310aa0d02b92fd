// Package signals catches what a service manager and a terminal send from the
// moment that Go code runs: a signal that comes while packages are initialised, a
// config is read or models are loaded waits for whom it is meant.
package signals

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// caught are the signals that have come and were not taken yet.
type caught struct {
	stop   chan os.Signal // SIGTERM, SIGINT
	hangup chan os.Signal // SIGHUP
	broken chan os.Signal // SIGPIPE, read by nobody
}

// early begins to catch while this package is initialised, before main.
var early = newCaught()

func newCaught() *caught {
	c := &caught{make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan os.Signal, 1)}
	c.catch()
	return c
}

// catch takes the signals. One that is asked for does not end the process: a
// write to a closed standard error gives EPIPE. It is not ignored, which children
// would inherit.
func (c *caught) catch() {
	signal.Notify(c.stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(c.hangup, syscall.SIGHUP)
	signal.Notify(c.broken, syscall.SIGPIPE)
}

// Release gives every signal its usual effect again, those that have come
// already included: for a command that is no daemon.
func Release() {
	signal.Reset(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	for _, ch := range []chan os.Signal{early.stop, early.hangup} {
		select {
		case s := <-ch:
			_ = syscall.Kill(os.Getpid(), s.(syscall.Signal)) // to oneself: allowed
		default:
		}
	}
}

// Daemon is a context that ends with SIGTERM or SIGINT, from now on or come
// before, and the channel of SIGHUPs. Until the process ends they and SIGPIPE have
// no other effect; done ends the watch alone.
func Daemon(parent context.Context) (ctx context.Context, hangup <-chan os.Signal, done func()) {
	early.catch()
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-early.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, early.hangup, cancel
}
