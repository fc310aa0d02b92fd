package daemon

import (
	"context"
	"os"
	"syscall"
	"time"
)

const (
	// watchEvery is how often model files are looked at. Looking beats being
	// told: it works on every file system and sees a replaced folder too.
	watchEvery = time.Second

	// touchEvery is how often the state file's time is refreshed.
	touchEvery = time.Minute
)

// watchModels reloads a model when its file has changed and has then stayed
// the same for one look, so that a file being copied is left alone. It also
// keeps the state on disk up to date.
func (d *Daemon) watchModels(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	marks, shadows := make([]fileMarks, len(d.units)), make([]fileMarks, len(d.units))
	for i, u := range d.units {
		marks[i].follow(u.now().Model, u)
		shadows[i].follow(u.now().Shadow, u)
	}
	touched, tended := time.Now(), time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for i, u := range d.units {
			shadows[i].follow(u.now().Shadow, u)
			if shadows[i].changed(markOf(shadows[i].path)) {
				u.restartShadow()
			}
			marks[i].follow(u.now().Model, u)
			if marks[i].changed(markOf(marks[i].path)) {
				if _, err := u.reload(ctx, "the file was replaced"); err != nil {
					u.log.Error("reload failed", "why", "the file was replaced", "err", err.Error())
				}
			}
			u.prove()
			u.markStuck()
		}
		if time.Since(tended) > retryDisk {
			tended = time.Now()
			d.tend()
		}
		if time.Since(touched) > touchEvery {
			touched = time.Now()
			d.memory.touch()
		}
	}
}

// mark tells one state of a file from another.
type mark struct {
	size  int64
	time  time.Time
	inode uint64
}

func markOf(path string) mark {
	info, err := os.Stat(path)
	if err != nil {
		return mark{}
	}
	m := mark{size: info.Size(), time: info.ModTime()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		m.inode = s.Ino
	}
	return m
}

// fileMarks follows one file.
type fileMarks struct {
	path       string
	used, seen mark
}

// follow follows another file, which is in use as u has read it.
func (f *fileMarks) follow(path string, u *unit) {
	if path != f.path {
		was := u.markRead(path)
		*f = fileMarks{path, was, was}
	}
}

// noteRead notes the state of a file that is read next: the trial of a model
// takes its time, in which the file may be replaced.
func (u *unit) noteRead(path string) {
	now := markOf(path)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.read == nil {
		u.read = map[string]mark{}
	}
	u.read[path] = now
}

// markRead is the state in which a file was read, or is in where it was not yet.
func (u *unit) markRead(path string) mark {
	u.mu.Lock()
	was, ok := u.read[path]
	u.mu.Unlock()
	if !ok {
		return markOf(path)
	}
	return was
}

// changed tells whether the file is another than the one used, and has been
// the same in the last two looks. It tells so once.
func (f *fileMarks) changed(now mark) bool {
	settled := now == f.seen
	f.seen = now
	if !settled || now == f.used {
		return false
	}
	f.used = now
	return true
}
