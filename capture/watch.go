package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"edged/internal/infile"
)

const (
	// lookEvery is how often a folder is listed, unless that takes a while: then it
	// may take a twentieth of the time.
	lookEvery = 200 * time.Millisecond
	lookShare = 20
	// quietFor is how long a file must not have changed to be taken though it does
	// not end as a picture does, or to be passed by for being none.
	quietFor = 5 * time.Second
	// settled is how old a file's time is that nobody is writing to any more.
	settled = 2 * time.Second
)

// watcher finds the pictures that come into a folder. A listing a few times a second
// is asked for, not the kernel: it works on every file system, of other machines
// too, and misses nothing that came while nobody looked.
type watcher struct {
	folder *folder
	dir    string
	seen   *seen

	pending map[string]pending // files that were not taken yet
	ready   []entry            // complete, in order
	lent    *entry             // the one that is being served
	told    map[string]bool    // names passed by
	look    time.Time          // when to list next
	status  Status
}

// pending is a file that may still be written to.
type pending struct {
	entry
	since time.Time // it is as it is
	after time.Time // when to try again what could not be opened
	whole bool      // nobody writes to it any more
}

func newWatcher(f *folder) *watcher {
	dir, err := filepath.Abs(f.cfg.Source)
	if err != nil {
		dir = f.cfg.Source
	}
	w := &watcher{folder: f, dir: dir, pending: map[string]pending{}, told: map[string]bool{}}
	if w.seen, err = openSeen(f.cfg.Seen, seenMost); err != nil {
		w.warn("what the folder has served before is not known: its pictures are served again", "err", err)
	}
	return w
}

func (w *watcher) warn(what string, attrs ...any) {
	w.folder.cfg.Log.Warn(what, append([]any{"camera", w.folder.cfg.Name}, attrs...)...)
}

// next waits for a picture that is complete. The one before counts as served from
// now on.
func (w *watcher) next(ctx context.Context) (string, error) {
	w.served()
	for len(w.ready) == 0 || !time.Now().Before(w.look) {
		if err := w.folder.pause(ctx, max(0, time.Until(w.look))); err != nil {
			return "", err
		}
		began := time.Now()
		w.list(began)
		w.look = time.Now().Add(max(lookEvery, lookShare*time.Since(began)))
	}
	e := w.ready[0]
	w.ready = w.ready[1:]
	w.lent = &e
	return filepath.Join(w.dir, e.name), nil
}

// served remembers the picture that was lent.
func (w *watcher) served() {
	if w.lent == nil {
		return
	}
	if err := w.seen.add(w.lent.sum(w.dir), w.lent.time); err != nil {
		w.warn("a served picture could not be noted: after a restart it may be served again", "file", w.lent.name, "err", err)
	}
	w.lent = nil
}

// later tells whether the picture that could not be read is not to be refused: it is
// gone, or may be readable another time.
func (w *watcher) later(path string, err error) bool {
	gone, denied := errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission)
	if !gone && !denied {
		return false
	}
	e := *w.lent
	w.lent = nil
	if denied {
		w.passBy(e.name, err.Error())
		w.pending[e.name] = pending{entry: e, since: time.Now(), after: time.Now().Add(quietFor)}
	}
	return true
}

// list looks at the folder and moves what is complete to ready.
func (w *watcher) list(now time.Time) {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.tell(Status{Reason: "waiting for the folder: " + plainError(err)})
		return
	}
	w.tell(Status{Online: true})
	present, still := map[uint64]bool{}, map[string]pending{}
	ready := w.ready[:0:0]
	for _, d := range entries {
		e, ok := w.entryOf(d, now)
		if !ok {
			continue
		}
		sum := e.sum(w.dir)
		present[sum] = true
		if w.seen.has(sum, e.time) || w.lent != nil && *w.lent == e {
			continue
		}
		p := w.waiting(e, now)
		if p.whole = p.whole || w.complete(&p, now); p.whole {
			ready = append(ready, e)
		}
		still[e.name] = p
	}
	slices.SortFunc(ready, func(a, b entry) int { return byName(a.name, b.name) })
	w.ready, w.pending = ready, still
	if w.seen.shrink(present) {
		w.warn("too many pictures lie in the folder to remember each: older ones count as served; clear it now and then",
			"remembered", seenMost, "served_until", w.seen.oldest())
	}
}

// entryOf looks at one name of the listing. What can be no picture is passed by.
func (w *watcher) entryOf(d fs.DirEntry, now time.Time) (e entry, ok bool) {
	name := d.Name()
	if w.told[name] && !isPicture(name) {
		return e, false
	}
	info, err := os.Stat(filepath.Join(w.dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink == 0:
		return e, false // gone again
	case err != nil:
		w.passBy(name, plainError(err))
	case info.IsDir():
		w.passBy(name, "a folder")
	case !info.Mode().IsRegular():
		w.passBy(name, "no regular file")
	case !isPicture(name):
		if name[0] != '.' && now.Sub(info.ModTime()) > quietFor {
			w.passBy(name, "neither .png nor .jpg")
		}
	default:
		return entry{name, info.Size(), info.ModTime().UnixNano()}, true
	}
	return e, false
}

// passBy counts a name that is not served and says so, once.
func (w *watcher) passBy(name, why string) {
	if w.told[name] {
		return
	}
	if len(w.told) >= seenMost {
		clear(w.told)
	}
	w.told[name] = true
	w.folder.note(func(t *tally) { t.Skipped++ })
	w.warn("passed by in the folder", "file", name, "reason", why)
}

// waiting is what is known of a file that was not served.
func (w *watcher) waiting(e entry, now time.Time) pending {
	if p, ok := w.pending[e.name]; ok && p.entry == e {
		return p
	}
	return pending{entry: e, since: now}
}

// complete tells whether nobody writes to a file any more: it is as it was at the
// look before, and ends as a picture does; or it has been quiet for long.
func (w *watcher) complete(p *pending, now time.Time) bool {
	if now.Before(p.after) {
		return false
	}
	same := now.Sub(p.since)
	switch {
	case same < lookEvery && now.UnixNano()-p.time < int64(settled):
		return false
	case same >= quietFor:
		return true
	}
	return ends(filepath.Join(w.dir, p.name), p.size)
}

// ends tells whether a file's last bytes are those of a whole PNG or JPEG. Some
// cameras pad behind the end marker.
func ends(path string, size int64) bool {
	const tail = 1024
	f, _, err := infile.Open(path, infile.Picture)
	if err != nil {
		return true // whoever reads it says why
	}
	defer f.Close()
	b := make([]byte, min(size, tail))
	if _, err := f.ReadAt(b, size-int64(len(b))); err != nil {
		return false
	}
	return bytes.HasSuffix(b, []byte("IEND\xaeB`\x82")) || bytes.Contains(b, []byte{0xff, 0xd9})
}

// tell says once that the folder went away or came back.
func (w *watcher) tell(now Status) {
	if now == w.status {
		return
	}
	w.status = now
	if !now.Online {
		w.warn("camera offline, trying again until it is back", "source", Redact(w.folder.cfg.Source), "reason", now.Reason)
	}
	w.folder.cfg.tell(now)
}

// plainError is an error of the system without the path, which its reader knows.
func plainError(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return fmt.Sprint(err)
}

// close notes what was lent as served: its result is out.
func (w *watcher) close() {
	w.served()
	w.seen.close()
}
