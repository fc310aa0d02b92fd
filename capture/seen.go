package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"edged/internal/infile"
)

// seenMost is how many files a folder's memory tells one from another; of what is
// beyond, whatever is as old as the oldest half counts as served.
const seenMost = 1 << 17

// seen remembers which files a watched folder has served, each by a sum over its
// path, size and time: one that is written anew is a new one. On disk it is a
// header and a record a file, appended.
type seen struct {
	path    string   // empty: it is not kept
	file    *os.File // nil until something is added
	served  map[uint64]int64
	mark    int64 // files as old as this, in Unix nanoseconds, count as served
	records int   // in the file
	most    int
}

const (
	seenHeader = "edged-seen 1\n\x00\x00\x00" // as long as a record
	seenRecord = 16                           // sum and time, little endian
	seenMark   = 0                            // sum of a record whose time is the mark
)

// entry is a file as the folder's listing shows it.
type entry struct {
	name string
	size int64
	time int64 // of its content, Unix nanoseconds
}

// sum names an entry of dir.
func (e *entry) sum(dir string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d", dir, e.name, e.size, e.time)
	return max(h.Sum64(), seenMark+1)
}

// openSeen reads what was remembered at path. A file that is damaged is read as far
// as it goes.
func openSeen(path string, most int) (*seen, error) {
	s := &seen{path: path, served: map[uint64]int64{}, mark: math.MinInt64, most: most}
	if path == "" {
		return s, nil
	}
	b, err := infile.Read(path, int64(seenRecord*(4*most+1)))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil && (len(b) < seenRecord || string(b[:seenRecord]) != seenHeader) {
		err = fmt.Errorf("%s is no list of served files", path)
	}
	if err != nil {
		return s, fmt.Errorf("capture: %w", err)
	}
	for b = b[seenRecord:]; len(b) >= seenRecord; b = b[seenRecord:] {
		sum, at := binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:]))
		if s.records++; sum == seenMark {
			s.mark = at
			continue
		}
		s.served[sum] = at
	}
	return s, nil
}

// has tells whether a file was served.
func (s *seen) has(sum uint64, at int64) bool {
	_, ok := s.served[sum]
	return ok || at <= s.mark
}

// add remembers a file.
func (s *seen) add(sum uint64, at int64) error {
	s.served[sum] = at
	if s.path == "" {
		return nil
	}
	if s.file == nil || s.records >= 2*s.most {
		return s.rewrite()
	}
	s.records++
	if _, err := s.file.Write(record(nil, sum, at)); err != nil {
		s.file.Close()
		s.file = nil // the next one writes it all again
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// shrink forgets files that are not in the folder any more once there are too many,
// and where that is not enough the oldest half, which the mark stands for.
func (s *seen) shrink(present map[uint64]bool) (marked bool) {
	if len(s.served) <= s.most {
		return false
	}
	var times []int64
	for sum, at := range s.served {
		if !present[sum] {
			delete(s.served, sum)
		} else {
			times = append(times, at)
		}
	}
	if len(s.served) <= s.most {
		return false
	}
	slices.Sort(times)
	s.mark = max(s.mark, times[len(times)/2])
	for sum, at := range s.served {
		if at <= s.mark {
			delete(s.served, sum)
		}
	}
	s.records = 2 * s.most // the next one writes it all again
	return true
}

func record(b []byte, sum uint64, at int64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, sum), uint64(at))
}

// rewrite writes all there is to a file that takes the old one's place, and keeps it
// open for what comes.
func (s *seen) rewrite() error {
	s.close()
	b := record([]byte(seenHeader), seenMark, s.mark)
	for sum, at := range s.served {
		b = record(b, sum, at)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), "."+filepath.Base(s.path)+"-*")
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return fmt.Errorf("capture: %w", err)
	}
	s.file, s.records = f, len(s.served)+1
	return nil
}

func (s *seen) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

// oldest says up to when files count as served.
func (s *seen) oldest() string { return time.Unix(0, s.mark).UTC().Format(time.RFC3339) }
