//go:build linux

// Command guest is the whole user space of the machine that avx512.sh
// emulates: started by Linux as /init, it runs the one program in /command,
// prints its output and exit status to the serial line, and powers off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	serial, err := console()
	if err == nil {
		status := run(serial)
		fmt.Fprintf(serial, "\nguest: exit status %d\n", status)
		unix.IoctlSetInt(int(serial.Fd()), unix.TCSBRK, 1) // waits until every byte has left
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// console mounts what Go programs and their tests read, and opens the serial line.
func console() (*os.File, error) {
	for _, m := range []struct{ dir, kind string }{{"/proc", "proc"}, {"/sys", "sysfs"}, {"/dev", "devtmpfs"}, {"/tmp", "tmpfs"}} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return nil, err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return nil, err
		}
	}
	return os.OpenFile("/dev/ttyS0", os.O_RDWR, 0)
}

// run executes /command in /test. The file holds one word in a line: first the
// environment, then an empty line, then the program and its arguments.
func run(serial *os.File) int {
	words, err := os.ReadFile("/command")
	if err != nil {
		fmt.Fprintln(serial, "guest:", err)
		return 125
	}
	env, args, _ := strings.Cut(string(words), "\n\n")
	line := strings.Split(strings.TrimSuffix(args, "\n"), "\n")
	c := exec.Command(line[0], line[1:]...)
	c.Dir, c.Env, c.Stdout, c.Stderr = "/test", strings.Split(env, "\n"), serial, serial
	err = c.Run()
	if c.ProcessState == nil {
		fmt.Fprintln(serial, "guest:", err)
		return 126
	}
	return c.ProcessState.ExitCode()
}
