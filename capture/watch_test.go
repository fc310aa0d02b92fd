package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edged"
)

// still is a PNG whose first pixel is n.
func still(n byte) []byte {
	m := image.NewGray(image.Rect(0, 0, 4, 4))
	m.Pix[0] = n
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// put writes a file whole, under a name that nobody takes, and renames it.
func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "."+name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "."+name), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func watched(t *testing.T, cfg Config) Source {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet()
	}
	src, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// served takes the next n pictures and names them.
func served(t *testing.T, src Source, n int) (names []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for range n {
		var f edged.Frame
		if err := src.Next(ctx, &f); err != nil {
			t.Fatalf("after %q: %v; counts %+v", names, err, src.Counts())
		}
		if f.PartID != src.(Filer).File() {
			t.Errorf("part %q of file %q", f.PartID, src.(Filer).File())
		}
		names = append(names, f.PartID)
	}
	return names
}

// nothing makes sure that no picture comes for a few looks at the folder.
func nothing(t *testing.T, src Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*lookEvery)
	defer cancel()
	var f edged.Frame
	if err := src.Next(ctx, &f); err != context.DeadlineExceeded {
		t.Errorf("%q came: %v", f.PartID, err)
	}
}

func TestWatchServesOnceInOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"p10.png", "p9.png", "p1.png"} {
		put(t, dir, name, still(1))
	}
	var told statuses
	src := watched(t, Config{Source: dir, OnStatus: told.tell})
	if got := served(t, src, 3); !slices.Equal(got, []string{"p1.png", "p9.png", "p10.png"}) {
		t.Errorf("served %q", got)
	}
	put(t, dir, "p2.PNG", still(2)) // it comes later
	if got := served(t, src, 1); got[0] != "p2.PNG" {
		t.Errorf("served %q", got)
	}
	nothing(t, src)
	put(t, dir, "p9.png", still(77)) // written anew: another picture
	if got := served(t, src, 1); got[0] != "p9.png" {
		t.Errorf("served %q", got)
	}
	told.are(t, "+")
	if c := balanced(t, src); c.Delivered != 5 || c.Refused != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestWatchWaitsForTheEnd: a file that is being written is taken when it is whole,
// however slowly it comes, and others meanwhile.
func TestWatchWaitsForTheEnd(t *testing.T) {
	dir := t.TempDir()
	src := watched(t, Config{Source: dir})
	whole := still(1)
	f, err := os.Create(filepath.Join(dir, "slow.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(whole[:len(whole)-1])
	put(t, dir, "zz.png", still(2))
	if got := served(t, src, 1); got[0] != "zz.png" {
		t.Errorf("served %q before it was whole", got)
	}
	nothing(t, src)
	f.Write(whole[len(whole)-1:])
	if got := served(t, src, 1); got[0] != "slow.png" {
		t.Errorf("served %q", got)
	}
	if c := balanced(t, src); c.Refused != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestWatchPassesBy: what is no picture is said once by its name, whatever it is.
func TestWatchPassesBy(t *testing.T) {
	dir := t.TempDir()
	var log syncBuffer
	var lost losses
	put(t, dir, "ok.png", still(1))
	put(t, dir, "broken.png", append([]byte("\x89PNG\r\n\x1a\n rubbish"), still(1)[len(still(1))-12:]...))
	put(t, dir, "notes.txt", []byte("x"))
	old := time.Now().Add(-time.Hour)
	os.Chtimes(filepath.Join(dir, "notes.txt"), old, old)
	os.Mkdir(filepath.Join(dir, "sub.png"), 0o700)
	os.Symlink("loop.png", filepath.Join(dir, "loop.png"))
	os.Symlink("nowhere", filepath.Join(dir, "gone.png"))
	os.Symlink("/dev/zero", filepath.Join(dir, "zero.png"))
	os.Symlink("ok.png", filepath.Join(dir, "other.png"))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.png"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "-dash ! with?loop:and%d.png", still(3))
	src := watched(t, Config{Source: dir, Log: textLog(&log), OnLoss: lost.tell})
	got := served(t, src, 3)
	if !slices.Equal(got, []string{"-dash ! with?loop:and%d.png", "ok.png", "other.png"}) {
		t.Errorf("served %q", got)
	}
	nothing(t, src)
	nothing(t, src)
	c := balanced(t, src)
	if c.Skipped != 6 || c.By != (Refusals{Corrupt: 1}) || c.Delivered != 3 {
		t.Errorf("counts %+v", c)
	}
	for _, name := range []string{"notes.txt", "sub.png", "loop.png", "gone.png", "zero.png", "pipe.png"} {
		if n := strings.Count(log.String(), name); n != 1 {
			t.Errorf("%s is said %d times:\n%s", name, n, log.String())
		}
	}
	lost.mu.Lock()
	defer lost.mu.Unlock()
	if len(lost.all) != 1 || lost.all[0].File != "broken.png" || lost.all[0].Why == "" {
		t.Errorf("lost %+v", lost.all)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}
func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// TestWatchRemembers: a restart serves what came meanwhile and nothing twice, but
// the one that was lent when the program was killed.
func TestWatchRemembers(t *testing.T) {
	dir, memory := t.TempDir(), filepath.Join(t.TempDir(), "state", "cam.seen")
	cfg := Config{Source: dir, Seen: memory}
	for i := range 5 {
		put(t, dir, fmt.Sprintf("a%d.png", i), still(byte(i)))
	}
	src := watched(t, cfg)
	served(t, src, 3)
	killed, err := os.ReadFile(memory) // as it would be found after a crash
	if err != nil {
		t.Fatal(err)
	}
	src.Close()
	src = watched(t, cfg)
	if got := served(t, src, 2); !slices.Equal(got, []string{"a3.png", "a4.png"}) {
		t.Errorf("served %q", got)
	}
	src.Close()
	src.Close()
	put(t, dir, "b.png", still(9))
	src = watched(t, cfg)
	if got := served(t, src, 1); got[0] != "b.png" {
		t.Errorf("served %q", got)
	}
	nothing(t, src)
	src.Close()

	for _, cut := range []int{len(killed), len(killed) - 1} {
		os.WriteFile(memory, killed[:cut], 0o600)
		src = watched(t, cfg)
		if got := served(t, src, 1); got[0] != []string{"a2.png", "a1.png"}[len(killed)-cut] {
			t.Errorf("served %q after a crash, record cut by %d", got, len(killed)-cut)
		}
		src.Close()
	}
	os.WriteFile(memory, []byte("something else entirely, longer than a record"), 0o600)
	src = watched(t, cfg)
	if got := served(t, src, 1); got[0] != "a0.png" {
		t.Errorf("served %q with a damaged memory", got)
	}
}

// TestWatchWaitsForTheFolder: a folder that is not there, or goes away, is waited for.
func TestWatchWaitsForTheFolder(t *testing.T) {
	for _, end := range []string{"", "/"} {
		t.Run("path ends in "+end, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "later")
			var told statuses
			src := watched(t, Config{Source: dir + end, OnStatus: told.tell, RetryMin: 10 * time.Millisecond, RetryMax: 20 * time.Millisecond})
			go func() {
				time.Sleep(30 * time.Millisecond)
				os.Mkdir(dir, 0o700)
				put(t, dir, "x.png", still(1))
			}()
			served(t, src, 1)
			told.are(t, "-+")
			os.Rename(dir, dir+".away")
			nothing(t, src)
			if reason := told.are(t, "-+-"); reason != "waiting for the folder: no such file or directory" {
				t.Errorf("offline because of %q", reason)
			}
			os.Rename(dir+".away", dir)
			nothing(t, src) // it was served
			told.are(t, "-+-+")
		})
	}
}

func TestWatchEnds(t *testing.T) {
	src := watched(t, Config{Source: t.TempDir()})
	done := make(chan error)
	go func() {
		var f edged.Frame
		done <- src.Next(context.Background(), &f)
	}()
	time.Sleep(10 * time.Millisecond)
	src.Close()
	if err := <-done; err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

func TestFolderLoopOption(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.png", still(1))
	src := watched(t, Config{Source: dir + "?loop"})
	if got := served(t, src, 3); !slices.Equal(got, []string{"a.png", "a.png", "a.png"}) {
		t.Errorf("served %q", got)
	}
}

// TestSeenIsBounded: more files than are remembered are not served again, and those
// that went are forgotten first.
func TestSeenIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := openSeen(path, 8)
	if err != nil {
		t.Fatal(err)
	}
	present := map[uint64]bool{}
	for i := range int64(9) {
		s.add(uint64(100+i), i)
		present[uint64(100+i)] = i > 2 // the first three are gone from the folder
	}
	if s.shrink(present) || len(s.served) != 6 || s.has(100, 0) || !s.has(103, 3) {
		t.Errorf("served %v, mark %d", s.served, s.mark)
	}
	for i := range int64(20) {
		s.add(uint64(200+i), 10+i)
		present[uint64(200+i)] = true
	}
	if !s.shrink(present) || len(s.served) > 13 || !s.has(103, 3) || !s.has(219, 29) || s.has(999, 30) {
		t.Errorf("served %v, mark %d", s.served, s.mark)
	}
	s.add(300, 40)
	s.close()
	again, err := openSeen(path, 8)
	if err != nil || again.mark != s.mark || len(again.served) != len(s.served) || !again.has(300, 40) {
		t.Errorf("read back: %v, %+v", err, again)
	}
	if st, _ := os.Stat(path); st.Size() > seenRecord*int64(2*8+2) {
		t.Errorf("the file has %d bytes", st.Size())
	}
}

func FuzzOpenSeen(f *testing.F) {
	f.Add([]byte(seenHeader))
	f.Add(binary.LittleEndian.AppendUint64([]byte(seenHeader), 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "s")
		os.WriteFile(path, b, 0o600)
		if s, err := openSeen(path, 4); err != nil && len(s.served) > 0 {
			t.Error("an unreadable memory remembers something")
		}
	})
}

func TestByName(t *testing.T) {
	want := []string{"", "a", "a01", "a1", "a2b", "a2c", "a10", "a10b", "a99999999999999999999", "a100000000000000000000", "b", "b1c9", "b1c10"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, byName)
	if !slices.Equal(got, want) {
		t.Errorf("order %q", got)
	}
}
