package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// detached is a spool that could not be had when its run began.
func detached(t *testing.T, dir string, log *slog.Logger, open func(string) (*os.File, error)) (s *spool, left chan []spooled) {
	t.Helper()
	left = make(chan []spooled, 1)
	s = newSpool(dir, log, func(e []spooled) { left <- e })
	s.retry = time.Millisecond
	if open != nil {
		s.openFile = open
	}
	s.start()
	t.Cleanup(func() { _ = s.close() })
	return s, left
}

func (s *spool) isWell() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.fault == nil }

// Whatever the system refuses at the start, events are kept, the trouble is said
// once and counted, and once it has passed all is on the disk: what an earlier
// run left before what this one has to say.
func TestSpoolStartsWithoutItsDisk(t *testing.T) {
	for _, errno := range []syscall.Errno{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EACCES, syscall.EPERM, syscall.EIO, syscall.ENOTDIR, syscall.ELOOP,
		syscall.ENXIO, syscall.ENODEV, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ESTALE, syscall.EAGAIN, syscall.EINTR, syscall.ENAMETOOLONG,
	} {
		t.Run(errno.Error(), func(t *testing.T) {
			dir := t.TempDir()
			before, _ := open(t, dir)
			before.store(event(1))
			if err := before.close(); err != nil {
				t.Fatal(err)
			}
			var text lockedBuffer
			var well atomic.Bool
			s, arrived := detached(t, dir, slog.New(slog.NewTextHandler(&text, nil)), func(path string) (*os.File, error) {
				if !well.Load() {
					return nil, &fs.PathError{Op: "open", Path: path, Err: errno}
				}
				return openSpoolFile(path)
			})
			s.settle(s.store(event(9)))
			s.store(event(2))
			waitFor(t, "some tries", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.errors > 3 })
			well.Store(true)
			if left := <-arrived; fmt.Sprint(seqs(left)) != "[1]" {
				t.Errorf("the earlier run left %v", seqs(left))
			}
			waitFor(t, "the disk", s.isWell)
			s.store(event(3))
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(text.String(), "cannot be written"); n != 1 {
				t.Errorf("said %d times: %s", n, text.String())
			}
			after, left := open(t, dir)
			if got := fmt.Sprint(seqs(left)); got != "[1 2 3]" {
				t.Errorf("on the disk: %s", got)
			}
			after.close()
		})
	}
}

// The same with what stands in the way on a real disk.
func TestSpoolHealsFromWhatStandsInItsPlace(t *testing.T) {
	type obstacle struct {
		put  func(dir string) error
		away func(dir string) error
	}
	file := func(dir string) string { return filepath.Join(dir, "events.spool") }
	for name, o := range map[string]obstacle{
		"a file as folder": {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, os.Remove},
		"a folder as file": {func(dir string) error { return os.MkdirAll(file(dir), 0o700) }, func(dir string) error {
			return os.Rename(file(dir), dir+".aside")
		}},
		"a pipe": {func(dir string) error { return os.Mkdir(dir, 0o700) }, func(dir string) error {
			return os.Remove(file(dir))
		}},
		"a loop": {func(dir string) error { return os.Symlink("state", dir) }, os.Remove},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			if err := o.put(dir); err != nil {
				t.Fatal(err)
			}
			if name == "a pipe" {
				if err := syscall.Mkfifo(file(dir), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, _ := detached(t, dir, slog.New(slog.DiscardHandler), nil)
			if s.isWell() {
				t.Fatal("nothing was in the way")
			}
			s.store(event(1))
			if err := o.away(dir); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the disk", s.isWell)
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			after, left := open(t, dir)
			if got := fmt.Sprint(seqs(left)); got != "[1]" {
				t.Errorf("on the disk: %s", got)
			}
			after.close()
		})
	}
}

// Another daemon's lock is waited for, not died of.
func TestSpoolWaitsForItsOwner(t *testing.T) {
	dir := t.TempDir()
	owner, _ := open(t, dir)
	s, arrived := detached(t, dir, slog.New(slog.DiscardHandler), nil)
	s.store(event(2))
	if s.isWell() {
		t.Fatal("two own the file")
	}
	owner.store(event(1))
	owner.close()
	if left := <-arrived; fmt.Sprint(seqs(left)) != "[1]" {
		t.Errorf("the owner left %v", seqs(left))
	}
}

// A write that failed is tried again though no event comes after it.
func TestSpoolRetriesByItself(t *testing.T) {
	dir := t.TempDir()
	s, _ := detached(t, dir, slog.New(slog.DiscardHandler), nil)
	if err := os.Mkdir(s.path+".new", 0o700); err != nil { // where it is written anew
		t.Fatal(err)
	}
	s.mu.Lock()
	s.stale = true
	s.mu.Unlock()
	s.store(event(1))
	waitFor(t, "a failure", func() bool { return !s.isWell() })
	if err := os.Remove(s.path + ".new"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the disk", s.isWell)
	if data, err := os.ReadFile(s.path); err != nil || !bytes.Contains(data, event(1).Payload) {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// What a spool's file says of topics is not believed.
func TestSpoolTopicsAreMadeAnew(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	for _, cam := range []string{"cam", "../../x", "a/b", "#", ""} {
		s.store(spooled{Camera: cam, Topic: "homeassistant/switch/config", Seq: 1, Payload: json.RawMessage("{}")})
	}
	s.close()
	cfg := Default()
	cfg.Broker, cfg.Node, cfg.SpoolDir, cfg.Log = "tcp://127.0.0.1:1", "n", dir, slog.New(slog.DiscardHandler)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.closeSpool()
	var topics []string
	for _, m := range c.queues[KindEvent].items {
		topics = append(topics, m.topic)
	}
	if !slices.Equal(topics, []string{"edged/n/cam/event"}) {
		t.Errorf("events for %q", topics)
	}
}
