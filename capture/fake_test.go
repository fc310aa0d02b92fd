package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"edged"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
)

// The tests start this very binary as the camera worker, with a scripted
// camera in OpenCV's place: the whole supervisor runs against real processes,
// without cgo.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-test.fuzzworker") { // its parent has set a role for others
		os.Exit(m.Run())
	}
	switch os.Getenv("EDGED_TEST_ROLE") {
	case "parent":
		os.Exit(parentMain())
	case "":
		os.Setenv("EDGED_TEST_ROLE", "worker") // what the tests start
		goleak.VerifyTestMain(m)
	default:
		slowStart(os.Args[1])
		if lie, ok := strings.CutPrefix(os.Args[1], "liar "); ok {
			os.Exit(liarMain(lie))
		}
		os.Exit(worker.Main(&fakeCamera{}))
	}
}

// fakeCamera does what its source says, a URL's query or a file that holds
// one: n frames of wxh at fps a second, and faults at frame numbers from 1.
// With mark, a fault happens once: it leaves that file behind.
type fakeCamera struct {
	script url.Values
	frame  uint64
	w, h   int
	slots  [][]byte
	spare  []byte
	due    time.Time
}

func (f *fakeCamera) Enough(wire.Enough) {}

func (f *fakeCamera) Library() string { return "fake" }

func (f *fakeCamera) Open(o wire.Open) (wire.Opened, error) {
	query := o.Source
	if o.Kind == "file" {
		b, err := os.ReadFile(o.Source)
		if err != nil {
			return wire.Opened{}, err
		}
		query = string(b)
	} else {
		_, query, _ = strings.Cut(query, "?")
	}
	f.script, _ = url.ParseQuery(query)
	f.frame, f.w, f.h, f.slots = 0, 64, 48, nil
	f.due = time.Now()
	if f.script.Has("w") {
		f.w, f.h = int(f.number("w")), int(f.number("h"))
	}
	if f.script.Has("openfail") && !f.marked() {
		fmt.Fprintln(os.Stderr, "refused:", o.Source)
		return wire.Opened{}, fmt.Errorf("%s", f.script.Get("openfail"))
	}
	if f.script.Has("recall") {
		return wire.Opened{}, recall()
	}
	if f.script.Has("openhang") && f.once() {
		select {}
	}
	return wire.Opened{Backend: "fake", Frames: int64(f.number("promise"))}, nil
}

// recall reads back what this worker says to standard error.
func recall() error {
	fmt.Fprintln(os.Stderr, "error while decoding MB 3")
	said := make([]byte, 100)
	n, err := os.Stderr.ReadAt(said, 0)
	return fmt.Errorf("it has said: %q, %w", said[:n], err)
}

func (f *fakeCamera) number(key string) uint64 {
	n, _ := strconv.ParseUint(f.script.Get(key), 10, 64)
	return n
}

// marked tells whether the mark is there: made by once, or by a test.
func (f *fakeCamera) marked() bool {
	_, err := os.Stat(f.script.Get("mark"))
	return err == nil
}

func (f *fakeCamera) once() bool {
	mark := f.script.Get("mark")
	if mark == "" {
		return true
	}
	file, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		file.Close()
	}
	return err == nil
}

func (f *fakeCamera) at(fault string) bool {
	return f.script.Has(fault) && f.number(fault) == f.frame && f.once()
}

func (f *fakeCamera) since(fault string) bool {
	return f.script.Has(fault) && f.frame >= f.number(fault)
}

func (f *fakeCamera) Bind(size wire.Want, slots [][]byte) error {
	f.slots = slots
	return nil
}

func (f *fakeCamera) Read(i int) (worker.Picture, error) {
	if f.frame++; f.script.Has("n") && f.frame > f.number("n") {
		return worker.Picture{}, io.EOF
	}
	if gaps := strings.Split(f.script.Get("gaps"), "."); gaps[0] != "" { // milliseconds before each picture, then none
		if f.frame > uint64(len(gaps)) {
			select {}
		}
		ms, _ := strconv.Atoi(gaps[f.frame-1])
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	if fps := f.number("fps"); fps > 0 {
		time.Sleep(time.Until(f.due))
		f.due = f.due.Add(time.Second / time.Duration(fps))
	}
	switch {
	case f.at("crash"):
		die(syscall.SIGKILL)
	case f.at("stop"):
		die(syscall.SIGSTOP)
	case f.at("hang"):
		select {}
	case f.at("pause"):
		time.Sleep(time.Duration(f.number("ms")) * time.Millisecond)
	case f.at("end"):
		return worker.Picture{}, fmt.Errorf("connection reset")
	case f.at("empty"):
		return worker.Picture{Empty: true}, nil
	}
	if f.since("grow") {
		f.w, f.h = 80, 60
	}
	if f.at("huge") {
		return worker.Picture{W: 1 << 14, H: 1 << 14, Ch: 3}, nil
	}
	p := worker.Picture{W: f.w, H: f.h, Ch: 3, Corrupt: f.at("corrupt")}
	if i >= 0 && len(f.slots[i]) == f.bytes() {
		f.paint(f.slots[i])
		p.InPlace = true
	} else {
		f.spare = bytes.Repeat([]byte{0}, f.bytes())
		f.paint(f.spare)
	}
	return p, nil
}

func (f *fakeCamera) bytes() int { return f.w * f.h * 3 }

// paint writes frame number f.frame: black or like the one before if so told.
func (f *fakeCamera) paint(dst []byte) {
	n := f.frame
	if f.since("freeze") && !f.since("thaw") {
		n = f.number("freeze")
	}
	switch {
	case f.since("blank"): // as cheap as can be, and never the same
		binary.LittleEndian.PutUint64(dst, ^n)
		return
	case f.since("black"):
		clear(dst)
		return
	}
	paint(dst, n)
}

func (f *fakeCamera) Take(dst []byte) error {
	if f.at("lose") {
		die(syscall.SIGKILL)
	}
	copy(dst, f.spare)
	return nil
}

func (f *fakeCamera) Close() {}

func die(sig syscall.Signal) {
	syscall.Kill(os.Getpid(), sig)
	time.Sleep(time.Minute)
}

// paint makes a picture from which its number can be read, and in which a byte
// of any other picture shows.
func paint(dst []byte, n uint64) {
	for i := range dst {
		dst[i] = byte(n) | 0x80
	}
	binary.LittleEndian.PutUint64(dst, n)
}

// number reads what paint wrote and checks all of the picture.
func number(t *testing.T, f *edged.Frame) uint64 {
	t.Helper()
	n := binary.LittleEndian.Uint64(f.Pix)
	for i, v := range f.Pix[8:] {
		if v != byte(n)|0x80 {
			t.Fatalf("frame %d, picture %d: byte %d is %#x: the slot was written while lent", f.Seq, n, i+8, v)
		}
	}
	return n
}

// fake is a Config with short deadlines for a scripted live camera.
func fake(script string) Config {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Config{
		Name: "fake", Source: "rtsp://fake/?" + script, Worker: self, Log: quiet(),
		OpenTimeout: 3 * time.Second, ReadTimeout: 1500 * time.Millisecond, AliveTimeout: 2500 * time.Millisecond,
		RetryMin: 20 * time.Millisecond, RetryMax: 50 * time.Millisecond, CrashMax: 100 * time.Millisecond,
	}
}

// fakeFile is the same for a scripted file.
func fakeFile(t *testing.T, script string) Config {
	cfg := fake("")
	cfg.Source = filepath.Join(t.TempDir(), "clip")
	if err := os.WriteFile(cfg.Source, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func mark(t *testing.T) string { return "mark=" + url.QueryEscape(filepath.Join(t.TempDir(), "mark")) }

func mustOpen(t *testing.T, cfg Config) *camera {
	t.Helper()
	src, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	if l, ok := src.(*late); ok {
		return l.now().(*camera)
	}
	return src.(*camera)
}

// next waits for a frame, long enough for any recovery, and checks it.
func next(t *testing.T, src Source) (f edged.Frame, n uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := src.Next(ctx, &f); err != nil {
		t.Fatalf("no frame: %v; counts %+v", err, src.Counts())
	}
	return f, number(t, &f)
}

// balanced checks the account, whatever else it says.
func balanced(t *testing.T, src Source) Counts {
	t.Helper()
	c := src.Counts()
	if !c.Balanced() {
		t.Errorf("the account does not balance: %+v", c)
	}
	return c
}

func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
