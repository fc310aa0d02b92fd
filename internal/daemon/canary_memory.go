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

// unasked is what a model may take at most where node.memory_limit does not say: more
// than any net for a board needs, and a bomb is told before it has filled a
// server's memory for a minute.
const unasked = 2 << 30

// memory is what a model may take in its trial, and where that is from.
func (e *Engines) memory() (limit int64, from string) {
	if e.Limit != nil {
		if limit := e.Limit(); limit > 0 {
			return limit, "node.memory_limit"
		}
	}
	read := e.readFile
	if read == nil {
		read = readText
	}
	if n := free(read); n > 0 {
		return min(n/4*3, unasked), "three quarters of what this machine or the service's control group has free, and 2 GiB at most; node.memory_limit sets another"
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0, ""
	}
	return min(int64(uint64(info.Totalram)*uint64(info.Unit)/4*3), unasked), "three quarters of this machine's memory, and 2 GiB at most; node.memory_limit sets another"
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
