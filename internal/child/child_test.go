package child

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roles are what this test binary is when it is started under another name.
var roles = map[string]func(){
	"sleeper": func() { time.Sleep(time.Hour) },
	"echo":    func() { io.Copy(os.Stdout, os.Stdin) },
	"deaf":    func() { fmt.Fprintln(os.Stderr, "not listening"); os.Exit(7) },
	"crash":   func() { debug.SetTraceback("crash"); panic("as a library would") },
	"glutton": eat,
	"writer":  writeMuch,
	"talker":  talk,
	"recall":  recall,
	"parent":  startTwo,
	"limits":  tellLimits,
}

func TestMain(m *testing.M) {
	if role := roles[os.Args[0]]; role != nil {
		role()
		return
	}
	os.Exit(m.Run())
}

// eat takes memory until there is none.
func eat() {
	debug.SetGCPercent(-1) // nothing is to be found
	var all [][]byte
	for range 64 {
		all = append(all, make([]byte, 64<<20))
	}
	fmt.Println("ate", len(all))
}

func writeMuch() {
	f, err := os.Create(os.Args[1])
	for range 64 {
		if err == nil {
			_, err = f.Write(make([]byte, 1<<16))
		}
	}
	fmt.Println(err)
}

// talk says far more than anybody keeps.
func talk() {
	fmt.Fprintln(os.Stderr, "first words")
	for range 10_000 {
		fmt.Fprintln(os.Stderr, strings.Repeat("bla ", 50))
	}
	fmt.Fprintln(os.Stderr, "last words")
}

// recall reads back what it has said, says more and dies of a signal.
func recall() {
	fmt.Fprintln(os.Stderr, "a decoder's complaint")
	said := make([]byte, 100)
	n, err := os.Stderr.ReadAt(said, 0)
	fmt.Println(string(said[:n]), err)
	if err := os.Stderr.Truncate(0); err != nil {
		panic(err)
	}
	talk()
	unix.Kill(os.Getpid(), unix.SIGKILL)
	time.Sleep(time.Hour)
}

// startTwo starts a child of this package and one that the child's death does
// not end by itself, tells their numbers, and waits.
func startTwo() {
	p, err := Start(self("sleeper"))
	if err != nil {
		panic(err)
	}
	plain := exec.Command("/proc/self/exe")
	plain.Args = []string{"sleeper"}
	if err := plain.Start(); err != nil {
		panic(err)
	}
	fmt.Println(p.Pid(), plain.Process.Pid)
	time.Sleep(time.Hour)
}

func tellLimits() {
	io.Copy(io.Discard, os.Stdin) // told once the limits hold
	for _, what := range []int{unix.RLIMIT_CORE, unix.RLIMIT_DATA, unix.RLIMIT_AS, unix.RLIMIT_FSIZE} {
		var r unix.Rlimit
		if err := unix.Getrlimit(what, &r); err != nil {
			panic(err)
		}
		fmt.Print(r.Cur, " ", r.Max, " ")
	}
	score, _ := os.ReadFile("/proc/self/oom_score_adj")
	fmt.Print(string(score), unix.Getpgrp() == os.Getpid(), " ", os.Getenv("NOTIFY_SOCKET"), ".")
}

// self is a command that starts this test binary in a role.
func self(role string, args ...string) Command {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Command{Path: exe, Args: append([]string{role}, args...)}
}

// isGone waits until no process has the number any more, or only a zombie.
func isGone(pid int) bool {
	for range 2000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

func TestFeedAndRead(t *testing.T) {
	c := self("echo")
	var out bytes.Buffer
	c.Stdin, c.Stdout = bytes.Repeat([]byte("model"), 100_000), &out
	if words, err := Run(t.Context(), c); err != nil || words != "" || !bytes.Equal(out.Bytes(), c.Stdin) {
		t.Errorf("%d bytes came back, %q, %v", out.Len(), words, err)
	}
	c = self("deaf")
	c.Stdin = make([]byte, 1<<20)
	words, err := Run(t.Context(), c)
	if err == nil || err.Error() != "exit status 7" || words != "not listening\n" || !Ended(err) || Signal(err) != 0 {
		t.Errorf("%q, %v", words, err)
	}
	c.Path = filepath.Join(t.TempDir(), "nothing")
	if _, err := Run(t.Context(), c); !errors.Is(err, os.ErrNotExist) || Ended(err) {
		t.Errorf("a program that is not: %v", err)
	}
}

func TestLimitsHoldBeforeTheChildIsFed(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/ours")
	c := self("limits")
	var out bytes.Buffer
	c.Stdin, c.Stdout = []byte("x"), &out
	c.Limits = Limits{Data: 1 << 30, Address: 1 << 42, FileSize: 1 << 20, OOMScore: 700}
	if words, err := Run(t.Context(), c); err != nil {
		t.Fatalf("%v: %s", err, words)
	}
	want := fmt.Sprintf("0 0 %d %[1]d %d %[2]d %d %[3]d 700\ntrue .", 1<<30, 1<<42, 1<<20)
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", &out, want)
	}
}

func TestMemoryEnds(t *testing.T) {
	c := self("glutton")
	c.Data = 256 << 20
	words, err := Run(t.Context(), c)
	told := []string{"out of memory", "cannot allocate memory", "failed to allocate"} // the last by the race detector
	if err == nil || !slices.ContainsFunc(told, func(text string) bool { return strings.Contains(words, text) }) {
		t.Errorf("4 GiB within 256 MiB: %v, %.300q", err, words)
	}
}

func TestAFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	c := self("writer", path)
	c.FileSize = 100_000
	var out bytes.Buffer
	c.Stdout = &out
	_, err := Run(t.Context(), c)
	if info, e := os.Stat(path); e != nil || info.Size() != c.FileSize || err == nil && !strings.Contains(out.String(), "file too large") {
		t.Errorf("%v, %v, %v, %s", info, e, err, &out)
	}
}

func TestTheAlarmEndsIt(t *testing.T) {
	c := self("sleeper")
	c.Alarm = 50 * time.Millisecond
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrAlarm) || Signal(err) != syscall.SIGKILL {
		t.Errorf("%v", err)
	}
	c = self("echo")
	c.Alarm = time.Hour
	if _, err := Run(t.Context(), c); err != nil {
		t.Errorf("one that ends by itself: %v", err)
	}
}

func TestTheCallerMayLoseInterest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := Run(ctx, self("sleeper")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := Run(ctx, self("sleeper")); !errors.Is(err, context.Canceled) {
		t.Errorf("before it began: %v", err)
	}
}

func TestACrashIsTold(t *testing.T) {
	if _, err := Run(t.Context(), self("crash")); Signal(err) != syscall.SIGABRT || strings.Contains(err.Error(), "core") {
		t.Errorf("%v", err)
	}
}

func TestWordsAreBounded(t *testing.T) {
	c := self("talker")
	var all bytes.Buffer
	c.Stderr = &all
	words, err := Run(t.Context(), c)
	if err != nil || !strings.HasPrefix(words, "first words\n") || !strings.HasSuffix(words, "last words\n") || len(words) > 2*(headBytes+tailBytes) {
		t.Errorf("%v, %d bytes: %.20q ... %q", err, len(words), words, words[max(0, len(words)-20):])
	}
	if all.Len() < 2_000_000 {
		t.Errorf("%d bytes were passed on", all.Len())
	}
}

// A child with Recall reads its own standard error, as a camera worker must; what
// it said outlives it, within the same bounds.
func TestAChildRecallsItsWords(t *testing.T) {
	c := self("recall")
	var out bytes.Buffer
	c.Stdout, c.Recall = &out, true
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		p.Words() // at any time
	}
	<-p.Gone()
	words := p.Words()
	if Signal(p.Err()) != syscall.SIGKILL || !strings.HasPrefix(out.String(), "a decoder's complaint\n") {
		t.Errorf("%v; it read %q", p.Err(), &out)
	}
	if !strings.HasPrefix(words, "first words\n") || !strings.HasSuffix(words, "last words\n") || !strings.Contains(words, "\n[...]\n") || len(words) > 2*(headBytes+tailBytes) {
		t.Errorf("%d bytes: %.20q ... %q", len(words), words, words[max(0, len(words)-20):])
	}
	c.Path = "/nowhere"
	if _, err := Start(c); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestShortWordsAreWhole(t *testing.T) {
	for _, n := range []int{0, 1, headBytes, headBytes + 1, headBytes + tailBytes} {
		var w words
		text := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		for rest := text; rest != ""; {
			k := min(len(rest), 777)
			w.Write([]byte(rest[:k]))
			rest = rest[k:]
		}
		if w.String() != text {
			t.Errorf("%d bytes came back as %d", n, len(w.String()))
		}
		f, err := memoryFile()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil || readWords(f) != text {
			t.Errorf("%d bytes of a file came back as %d, %v", n, len(readWords(f)), err)
		}
		f.Close()
	}
}

// startParent starts a process with a child and a plain process in it.
func startParent(t *testing.T) (p *Process, child, plain int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := self("parent")
	c.Stdout = w
	if p, err = Start(c); err != nil {
		t.Fatal(err)
	}
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, p.Words())
	}
	numbers := strings.Fields(line)
	child, err = strconv.Atoi(numbers[0])
	if err == nil {
		plain, err = strconv.Atoi(numbers[1])
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, child, plain
}

// What a child has started goes with it: what it started by this package because
// its parent is gone, the rest because it is in its group.
func TestNothingIsLeftBehind(t *testing.T) {
	for how, kill := range map[string]func(p *Process){
		"killed by us": (*Process).Kill,
		"killed alone": func(p *Process) { unix.Kill(p.Pid(), unix.SIGKILL) },
	} {
		p, child, plain := startParent(t)
		kill(p)
		<-p.Gone()
		if Signal(p.Err()) != syscall.SIGKILL {
			t.Errorf("%s: %v", how, p.Err())
		}
		for what, pid := range map[string]int{"its child": child, "its plain process": plain} {
			if !isGone(pid) {
				unix.Kill(pid, unix.SIGKILL)
				t.Errorf("%s: %s is still there", how, what)
			}
		}
		p.Kill() // may be called again
	}
}

func TestEnvironLeavesOutWhatIsNotForAChild(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "1")
	t.Setenv("MINE", "2")
	t.Setenv("KEPT", "3")
	all := strings.Join(Environ("MINE"), "\n")
	if strings.Contains(all, "WATCHDOG_USEC") || strings.Contains(all, "MINE=") || !strings.Contains(all, "KEPT=3") {
		t.Errorf("%s", all)
	}
}
