package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Files lie in DIR/CAMERA/ID.png. An id tells when the frame was taken, to the
// millisecond, and the result's seq: ids sort by time.
const (
	idLayout  = "20060102T150405.000Z"
	extension = ".png"
	unready   = ".tmp" // behind the name of a file on its way, which begins with a dot
)

var (
	cameraPattern = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	idPattern     = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-\d{1,20}$`)
)

func idOf(at time.Time, seq uint64) string {
	return fmt.Sprintf("%s-%06d", at.UTC().Format(idLayout), seq)
}

// file is one piece of evidence on the disk.
type file struct {
	camera, id string
	size       int64
	at         time.Time
}

// index is what there is, the oldest first.
type index struct {
	files []file
	bytes int64
}

func byAge(a, b file) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.camera, b.camera))
}

// add puts a file at its place; one of the same name is replaced.
func (x *index) add(f file) {
	i, there := slices.BinarySearchFunc(x.files, f, byAge)
	if there {
		x.bytes -= x.files[i].size
		x.files[i] = f
	} else {
		x.files = slices.Insert(x.files, i, f)
	}
	x.bytes += f.size
}

func (x *index) remove(f file) {
	if i, there := slices.BinarySearchFunc(x.files, f, byAge); there {
		x.bytes -= x.files[i].size
		x.files = slices.Delete(x.files, i, i+1)
	}
}

// find is the file of a camera and an id.
func (x *index) find(camera, id string) (file, bool) {
	i, there := slices.BinarySearchFunc(x.files, file{camera: camera, id: id}, byAge)
	if !there {
		return file{}, false
	}
	return x.files[i], true
}

func (s *Store) path(f file) string { return filepath.Join(s.cfg.Dir, f.camera, f.id+extension) }

// scan reads what the folder holds from before: what is ours and whole counts,
// what is ours and half is removed, anything else is left alone.
func (s *Store) scan() {
	folders, err := os.ReadDir(s.cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(s.cfg.Dir, 0o750)
	}
	if err != nil {
		s.trouble(fmt.Errorf("evidence: %w", err))
		return
	}
	s.scanned = true
	for _, d := range folders {
		if !d.IsDir() || !cameraPattern.MatchString(d.Name()) {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(s.cfg.Dir, d.Name()))
		if err != nil {
			s.cfg.Log.Warn("evidence of before is not counted", "err", err.Error())
			continue
		}
		for _, e := range entries {
			s.take(d.Name(), e)
		}
	}
	s.tidy()
}

// take counts a file of before, or removes what a lost power left of one.
func (s *Store) take(camera string, e fs.DirEntry) {
	name := e.Name()
	path := filepath.Join(s.cfg.Dir, camera, name)
	if strings.HasPrefix(name, ".") && strings.HasSuffix(name, unready) && idPattern.MatchString(name[1:len(name)-len(unready)]) {
		_ = os.Remove(path) // what cannot be removed takes room, and nothing else
		return
	}
	id, ours := strings.CutSuffix(name, extension)
	info, err := e.Info()
	if !ours || err != nil || !info.Mode().IsRegular() || !idPattern.MatchString(id) {
		return
	}
	at, err := time.Parse(idLayout, id[:len(idLayout)])
	if err != nil {
		return
	}
	if !isWhole(path, info.Size()) {
		s.cfg.Log.Warn("evidence was cut short, by a loss of power perhaps: removed", "file", path)
		_ = os.Remove(path)
		return
	}
	s.mu.Lock()
	s.index.add(file{camera, id, info.Size(), at})
	s.mu.Unlock()
}

// tidy removes what is too old or too much, and forgets what others removed.
func (s *Store) tidy() {
	s.forget()
	if err := s.prune(0, 0); err != nil {
		s.trouble(err)
	}
}

// forget leaves files out of the account that are gone: people make room by hand.
func (s *Store) forget() {
	s.mu.Lock()
	known := slices.Clone(s.index.files)
	s.mu.Unlock()
	there := map[string]map[string]bool{} // by camera
	for _, f := range known {
		names, read := there[f.camera]
		if !read {
			names = s.names(f.camera)
			there[f.camera] = names
		}
		if names != nil && !names[f.id+extension] {
			s.mu.Lock()
			s.index.remove(f)
			s.mu.Unlock()
		}
	}
}

// names are the files in a camera's folder, nil where it cannot be read.
func (s *Store) names(camera string) map[string]bool {
	entries, err := os.ReadDir(filepath.Join(s.cfg.Dir, camera))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// prune makes room for so many more files and bytes: the oldest go.
func (s *Store) prune(count int, bytes int64) error {
	for {
		s.mu.Lock()
		var oldest file
		n := len(s.index.files)
		if n > 0 {
			oldest = s.index.files[0]
		}
		full := n+count > s.cfg.MaxCount || s.index.bytes+bytes > s.cfg.MaxBytes
		s.mu.Unlock()
		if n == 0 || !full && !s.isOld(oldest) {
			return nil
		}
		if err := os.Remove(s.path(oldest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("evidence: %w", err)
		}
		s.mu.Lock()
		s.index.remove(oldest)
		s.mu.Unlock()
	}
}

func (s *Store) isOld(f file) bool { return s.cfg.MaxAge > 0 && time.Since(f.at) > s.cfg.MaxAge }

// write puts a file there whole. It does not wait for the disk: that would wear a
// card, and a file that a loss of power cuts short is found at the next start.
func (s *Store) write(f file, data []byte) error {
	path := s.path(f)
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	draft := filepath.Join(dir, "."+strings.TrimSuffix(name, extension)+unready)
	err := os.WriteFile(draft, data, 0o640)
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft)
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// probe looks whether the folder takes a file, and what it holds where that is not
// known yet.
func (s *Store) probe() {
	err := os.MkdirAll(s.cfg.Dir, 0o750)
	if err == nil {
		draft := filepath.Join(s.cfg.Dir, ".probe"+unready)
		err = os.WriteFile(draft, make([]byte, 4096), 0o640)
		if removed := os.Remove(draft); err == nil {
			err = removed
		}
	}
	if err == nil {
		err = roomFor(s.cfg.Dir, s.wanted)
	}
	if err != nil {
		err = fmt.Errorf("evidence: %w", err)
	}
	if s.trouble(err); err != nil {
		return
	}
	s.wanted = 0
	if !s.scanned {
		s.scan()
		return
	}
	s.tidy()
}

// roomFor is an error where a folder's disk has no room for a file of size bytes:
// a small file may still find some, and a healed disk would be told for nothing.
func roomFor(dir string, size int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return nil // a file system that does not tell; writing will
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < size {
		return fmt.Errorf("%s: %w: %d bytes are free, a picture takes %d", dir, syscall.ENOSPC, free, size)
	}
	return nil
}
