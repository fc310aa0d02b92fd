package daemon

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// blame is a model at whose work the run before ended, and how.
type blame struct{ camera, sha256, cause string }

// death is what is known of the end of the run before.
type death struct {
	crash string    // what the runtime wrote last
	at    time.Time // when
	kills kills     // now
}

// blames finds the models that are the cause of a death. That a model was at
// work is not enough: it nearly always is, and somebody may have pulled the
// plug. It is to blame where
//
//   - it did not come back for so long that it was marked as stuck,
//   - the runtime says that its goroutine crashed, or a thread of the library
//     that runs it,
//   - the kernel has ended a process for want of memory in between.
func (m *marks) blames(d death) []blame {
	since, before := m.begun()
	if d.at.Before(since) {
		d.crash = "" // of an older run
	}
	c := readCrash(d.crash)
	outOfMemory := d.kills.boot != "" && d.kills.boot == before.boot && d.kills.n > before.n
	var list []blame
	for i := range maxMarks {
		s := m.at(i)
		w := s.state()
		if w == idle || s.camera() == "" {
			continue
		}
		cause := ""
		switch {
		case w&stuck != 0:
			cause = "it did not come back while it was " + w.String()
		case c.by(s, m):
			cause = "while it was " + w.String() + ": " + c.what
		case outOfMemory:
			cause = "memory ran out while it was " + w.String()
		default:
			continue
		}
		list = append(list, blame{s.camera(), s.sha256(), cause})
	}
	return list
}

// crash is what the runtime's last words tell.
type crash struct {
	what      string // its first line
	goroutine uint64 // that crashed; 0: a thread that runs no Go
	engine    bool   // an engine's code was running in it
	outside   bool   // somebody sent the signal
}

// libraryFault is how a report begins that Engines.ReportFaults has written.
const libraryFault = "a fault in a thread of the library"

var (
	goroutineLine = regexp.MustCompile(`(?m)^goroutine (\d+)[^\n]*\[[^\n]*\]:$`)
	sentSignal    = regexp.MustCompile(`(?m)^PC=\S+ m=\d+ sigcode=0\b`)
	engineCode    = regexp.MustCompile(`(?m)^(edged/fallback|edged/tflite|github\.com/mattn/go-tflite|edged/internal/kernel)\b`)
)

// readCrash reads a crash report; without one it blames nobody.
func readCrash(text string) crash {
	text = strings.TrimSpace(text)
	if text == "" {
		return crash{outside: true}
	}
	c := crash{outside: sentSignal.MatchString(text)}
	c.what, _, _ = strings.Cut(text, "\n")
	at := goroutineLine.FindStringSubmatchIndex(text)
	if at == nil {
		c.outside = c.outside || !strings.HasPrefix(text, libraryFault)
		return c
	}
	c.goroutine, _ = strconv.ParseUint(text[at[2]:at[3]], 10, 64)
	block, _, _ := strings.Cut(text[at[0]:], "\n\n")
	c.engine = engineCode.MatchString(block)
	return c
}

// by tells whether the crash came out of the work that s marks. Where the
// goroutine is that of another camera's mark it is that one's.
func (c crash) by(s slot, all *marks) bool {
	if c.outside {
		return false
	}
	if c.goroutine == s.goroutine() && c.goroutine != 0 {
		return true
	}
	for i := range maxMarks {
		if o := all.at(i); o.state() != idle && o.goroutine() == c.goroutine && c.goroutine != 0 {
			return false
		}
	}
	return c.engine || c.goroutine == 0 // workers of an engine serve every camera
}
