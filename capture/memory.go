package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
)

// manyPixels is what no picture has, unless Config.MaxPixels says so.
const manyPixels = 64 << 20

// largestPicture is how many pixels of three bytes a picture may have where there
// are total bytes of memory, 0: nobody knows. A third of them may hold pictures:
// those in the slots, and those in the making.
func largestPicture(total int64, slots int) int64 {
	if total <= 0 {
		return manyPixels
	}
	return min(manyPixels, total/3/(3*int64(slots+2)))
}

// memoryTotal is the machine's memory in bytes, 0 where it is not told.
func memoryTotal() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// starved matches what the libraries and Go say when memory is out.
var starved = regexp.MustCompile(`(?i)out of memory|bad_alloc|cannot allocate memory|insufficient memory|failed to allocate|OutOfMemory|error: -1[12]\b`)

// hunger adds to a reason that speaks of memory what a worker is held to.
func (c *camera) hunger(reason string) string {
	if !starved.MatchString(reason) {
		return reason
	}
	return reason + "; a camera's worker is held to the memory that opening it and its pictures need, whatever the camera sends"
}
