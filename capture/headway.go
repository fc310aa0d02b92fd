package capture

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// headway watches whether a process that has nothing to show yet gets on: it
// computes, or the pages of its program arrive from a disk. On a board with a cold
// card the start of OpenCV alone takes longer than any camera may, and a picture
// waits for the next key frame while its decoder works through what comes before.
type headway struct {
	seen  usage
	steps [headwaySpan]time.Duration // when it got on, the latest first
}

// usage is what a process has had of the machine.
type usage struct {
	faults uint64 // pages that came from a disk
	cpu    uint64 // clock ticks
}

const (
	// headwayCPU is how many clock ticks, of 10 ms, are a step: signs of life alone
	// take one in a minute.
	headwayCPU = 2
	// headwaySpan is how many steps within a time are getting on.
	headwaySpan = 2
	// longestStart and longestOpen are how many times its deadline a process may take
	// that gets on: 5 minutes to load its libraries, 1 to find a picture.
	longestStart = 30
	longestOpen  = 6
)

// look notes what the process has done since it was looked at last.
func (h *headway) look(pid int, now time.Duration) {
	u, ok := usageOf(pid)
	if !ok || u.faults == h.seen.faults && u.cpu < h.seen.cpu+headwayCPU {
		return
	}
	h.seen = u
	copy(h.steps[1:], h.steps[:])
	h.steps[0] = now
}

// stuck tells whether a process has had limit for what it began at since, and is
// not getting on with it, or has had longest times that.
func (h *headway) stuck(now, since, limit, longest time.Duration) bool {
	return now-since > limit && (now-h.steps[headwaySpan-1] > limit || now-since > longest*limit)
}

// usageOf reads /proc/PID/stat.
func usageOf(pid int) (usage, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, false
	}
	return parseUsage(b)
}

// parseUsage takes what it needs out of a stat line, proc(5): the command is in
// parentheses and may hold anything; of the fields behind it the state is the
// first, major faults the tenth, user and system time the 12th and 13th.
func parseUsage(stat []byte) (u usage, ok bool) {
	const majflt, utime, stime = 9, 11, 12
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= stime {
		return u, false
	}
	var n [3]uint64
	for i, at := range []int{majflt, utime, stime} {
		v, err := strconv.ParseUint(string(fields[at]), 10, 64)
		if err != nil {
			return u, false
		}
		n[i] = v
	}
	return usage{faults: n[0], cpu: n[1] + n[2]}, true
}
