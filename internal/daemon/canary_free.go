package daemon

import (
	"bytes"
	"math"
	"path"
	"strconv"
	"strings"

	"edged/internal/infile"
)

// free is what the machine could give a model now: what the kernel counts as
// available, and what the control groups that this process is in have left,
// whichever is least. 0: nothing tells. read reads a file of /proc or /sys.
func free(read func(name string) ([]byte, error)) int64 {
	least := int64(math.MaxInt64)
	take := func(n int64, ok bool) {
		if ok && n < least {
			least = max(n, 1)
		}
	}
	meminfo, _ := read("/proc/meminfo")
	kB, ok := field(meminfo, "MemAvailable:")
	take(kB<<10, ok)
	groups, _ := read("/proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		switch f := strings.SplitN(strings.TrimSpace(line), ":", 3); {
		case len(f) != 3:
		case f[1] == "":
			take(left(read, "/sys/fs/cgroup", f[2], "memory.max", "memory.current", "inactive_file"))
		case f[1] == "memory":
			take(left(read, "/sys/fs/cgroup/memory", f[2], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// left is what a control group and those above it have left, with the cached
// files that the kernel would let go.
func left(read func(string) ([]byte, error), root, group, max, used, cached string) (least int64, ok bool) {
	number := func(name string) (int64, bool) {
		text, err := read(name)
		n, bad := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		return n, err == nil && bad == nil
	}
	for dir := path.Join("/", group); ; dir = path.Dir(dir) {
		limit, limited := number(path.Join(root, dir, max))
		now, known := number(path.Join(root, dir, used))
		stat, _ := read(path.Join(root, dir, "memory.stat"))
		files, _ := field(stat, cached)
		if n := limit - now + files; limited && known && (!ok || n < least) {
			least, ok = n, true
		}
		if dir == "/" {
			return least, ok
		}
	}
}

// field is the number behind a name at the beginning of a line.
func field(text []byte, name string) (int64, bool) {
	for line := range bytes.Lines(text) {
		if f := bytes.Fields(line); len(f) >= 2 && string(f[0]) == name {
			n, err := strconv.ParseInt(string(f[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func readText(name string) ([]byte, error) { return infile.Read(name, infile.Text) }
