package child

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// apply holds a process to the limits. The kernel counts what the process has
// already, so that nothing is gained in the instant before.
func (l *Limits) apply(pid int) error {
	for _, r := range []struct {
		name  string
		what  int
		bytes int64
		set   bool
	}{
		{"RLIMIT_CORE", unix.RLIMIT_CORE, 0, true},
		{"RLIMIT_DATA", unix.RLIMIT_DATA, l.Data, l.Data > 0},
		{"RLIMIT_AS", unix.RLIMIT_AS, l.Address, l.Address > 0},
		{"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, l.FileSize, l.FileSize > 0},
	} {
		if !r.set {
			continue
		}
		if err := lower(pid, r.what, uint64(r.bytes)); err != nil {
			return fmt.Errorf("child: limit %s %d: %w", r.name, r.bytes, err)
		}
	}
	if l.OOMScore > 0 {
		// Where /proc is not, the kernel chooses without our advice.
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), strconv.AppendInt(nil, int64(min(l.OOMScore, 1000)), 10), 0)
	}
	return nil
}

// lower sets a limit, or leaves one that is lower already: to raise takes a right.
func lower(pid, what int, bytes uint64) error {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, what, nil, &old); err != nil {
		return err
	}
	return unix.Prlimit(pid, what, &unix.Rlimit{Cur: min(bytes, old.Cur), Max: min(bytes, old.Max)}, nil)
}

// service are what a service manager tells its main process alone.
var service = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}

// Environ is our environment without what is meant for a service's main process
// and without the names given, for the caller to set.
func Environ(without ...string) []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(service, name) || slices.Contains(without, name)
	})
}
