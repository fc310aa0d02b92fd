package daemon

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"edged/internal/infile"
)

// trialSlack is what a trial may take beside the model's tensors: its weights a
// few times over, the threads' stacks, the runtime's arenas.
const trialSlack = 512 << 20

// memory is what a model may take in its trial.
func (e *Engines) memory() int64 {
	if e.Limit != nil {
		if limit := e.Limit(); limit > 0 {
			return limit
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit) / 4 * 3)
}

// LimitSelf holds this process to what it has and limit bytes more, and some: a
// model that asks for more than it says ends its trial and not the machine. 0 is
// no limit.
func LimitSelf(limit int64) error {
	if limit <= 0 {
		return nil
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &old); err != nil {
		return fmt.Errorf("canary: RLIMIT_DATA: %w", err)
	}
	most := uint64(dataBytes() + limit + trialSlack)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: min(most, old.Cur), Max: min(most, old.Max)}); err != nil {
		return fmt.Errorf("canary: RLIMIT_DATA of %d: %w", most, err)
	}
	return nil
}

// dataBytes is what the kernel counts as this process's data, 0 where /proc is
// not.
func dataBytes() int64 {
	status, err := infile.Read("/proc/self/status", infile.Text)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmData:")); ok {
			kB, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			return kB << 10
		}
	}
	return 0
}
