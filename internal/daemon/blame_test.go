package daemon

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// working marks a run of cameras a, that runs, b, that is being loaded, and c,
// that rests; a's goroutine is 7, b's is 8.
func workingMarks(t *testing.T) *marks {
	t.Helper()
	m, err := openMarks(filepath.Join(t.TempDir(), "marks"))
	if err != nil {
		t.Fatal(err)
	}
	m.begin(time.Now().Add(-time.Minute), kills{5, "boot"})
	for i, name := range []string{"a", "b", "c"} {
		s := m.of(name)
		s.set([]working{inferring, loading, idle}[i], "sha-"+name)
		s[8] = byte(7 + i)
		clear(s[9:16])
	}
	return m
}

func TestWhoIsToBlame(t *testing.T) {
	dump := func(head string, goroutine int, frame string) string {
		return fmt.Sprintf("%s\n\ngoroutine %d gp=0xc000002380 m=0 mp=0x1 [running]:\n%s\n\t/src/x.go:1 +0x1\n\ngoroutine 7 gp=0xc0 m=1 [runnable]:\nedged/fallback.(*Engine).Run()\n", head, goroutine, frame)
	}
	segv := "SIGSEGV: segmentation violation\nPC=0x4a m=3 sigcode=1 addr=0x0"
	for name, c := range map[string]struct {
		crash string
		at    time.Duration // from now
		kills kills
		stuck string
		want  string
	}{
		"kill -9, or the power":    {"", 0, kills{5, "boot"}, "", ""},
		"in a's inference":         {dump(segv, 7, "runtime.cgocall"), 0, kills{5, "boot"}, "", "a"},
		"in b's loading":           {dump("panic: index out of range", 8, "edged/tflite.open"), 0, kills{5, "boot"}, "", "b"},
		"in a worker of an engine": {dump("panic: runtime error", 44, "edged/fallback.(*pool).work"), 0, kills{5, "boot"}, "", "a b"},
		"in a thread of a library": {dump(segv, 0, "runtime.asm"), 0, kills{5, "boot"}, "", "a b"},
		"in the broker's client":   {dump("panic: index out of range", 44, "github.com/eclipse/paho.mqtt.golang.x"), 0, kills{5, "boot"}, "", ""},
		"a signal that was sent":   {dump("SIGABRT: abort\nPC=0x4a m=0 sigcode=0", 7, "runtime.cgocall"), 0, kills{5, "boot"}, "", ""},
		"a crash of a run before":  {dump(segv, 7, "runtime.cgocall"), -time.Hour, kills{5, "boot"}, "", ""},
		"memory ran out":           {"", 0, kills{6, "boot"}, "", "a b"},
		"another boot":             {"", 0, kills{6, "other"}, "", ""},
		"a is stuck":               {"SIGABRT: abort\nPC=0x4a m=0 sigcode=0", 0, kills{5, "boot"}, "a", "a"},
		"garbage":                  {"\x00\x01 not a report", 0, kills{5, "boot"}, "", ""},
		"in a thread, no stack":    {libraryFault + " that runs models\n", 0, kills{5, "boot"}, "", "a b"},
	} {
		m := workingMarks(t)
		if c.stuck != "" {
			m.of(c.stuck).stick()
		}
		var got []string
		for _, b := range m.blames(death{c.crash, time.Now().Add(c.at), c.kills}) {
			got = append(got, b.camera)
			if b.sha256 != "sha-"+b.camera || b.cause == "" {
				t.Errorf("%s: %+v", name, b)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: blamed %q, want %q", name, s, c.want)
		}
	}
}

func TestMarksOutliveTheirRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks")
	m, err := openMarks(path)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Unix(0, 123)
	m.begin(begun, kills{9, "b-o-o-t"})
	m.of("cam").set(inferring, strings.Repeat("f", 64))
	next, err := openMarks(path) // the file, not the memory
	if err != nil {
		t.Fatal(err)
	}
	at, k := next.begun()
	s := next.of("cam")
	if !at.Equal(begun) || k != (kills{9, "b-o-o-t"}) || s.state() != inferring || s.sha256() != strings.Repeat("f", 64) || s.goroutine() != goroutineID() {
		t.Errorf("%v %+v %v %q %d", at, k, s.state(), s.sha256(), s.goroutine())
	}
	s.stick()
	s.set(idle, "")
	s.stick()
	if s.state() != idle {
		t.Errorf("an idle model is %v", s.state())
	}
	for i := range maxMarks + 3 {
		m.of(fmt.Sprint("camera", i)).set(inferring, "x") // more cameras than marks: no harm
	}
}

func FuzzCrashReport(f *testing.F) {
	f.Add("SIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=1\n\ngoroutine 7 [running]:\nedged/tflite.x\n\n")
	f.Add("goroutine 99999999999999999999 [x]:")
	f.Fuzz(func(t *testing.T, text string) {
		if c := readCrash(text); c.by(slot(make([]byte, markBytes)), &marks{make([]byte, markHeader+maxMarks*markBytes)}) && text == "" {
			t.Error("nothing blames somebody")
		}
	})
}
