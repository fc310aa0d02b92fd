//go:build tflite && cgo && linux

package tflite

/*
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

// A fault on a thread that Go did not make ends the process without a word:
// the runtime hands it to the default action. So those are told here first.
static volatile int edged_report = -1;
static struct sigaction edged_before[NSIG];

static void edged_on_fault(int sig, siginfo_t *info, void *context) {
	stack_t stack;
	memset(&stack, 0, sizeof stack);
	sigaltstack(NULL, &stack);
	struct sigaction *before = &edged_before[sig];
	if ((stack.ss_flags & SS_ONSTACK) && (before->sa_flags & SA_SIGINFO) && before->sa_sigaction) {
		before->sa_sigaction(sig, info, context); // a thread of Go's, which has a stack for signals
		return;
	}
	if (info->si_code > 0 || info->si_code == SI_TKILL) { // not sent by another process
		static const char text[] = "a fault in a thread of the library that runs models\n";
		ssize_t n = write(edged_report, text, sizeof text - 1);
		(void)n;
	}
	signal(sig, SIG_DFL); // and once more, for good
	if (info->si_code <= 0) raise(sig);
}

static int edged_report_faults(int fd) {
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	int first = edged_report < 0;
	edged_report = fd;
	for (size_t i = 0; first && i < sizeof faults / sizeof faults[0]; i++) {
		struct sigaction now;
		if (sigaction(faults[i], NULL, &edged_before[faults[i]])) return -1;
		now = edged_before[faults[i]];
		now.sa_sigaction = edged_on_fault;
		now.sa_flags |= SA_SIGINFO | SA_ONSTACK;
		if (sigaction(faults[i], &now, NULL)) return -1;
	}
	return 0;
}

#include <pthread.h>
static void *edged_fault(void *x) { *(volatile int *)x = 1; return NULL; }
static void edged_fault_in_thread(void) {
	pthread_t t;
	if (!pthread_create(&t, NULL, edged_fault, (void *)8)) pthread_join(t, NULL);
}
*/
import "C"

import (
	"errors"
	"os"
	"syscall"
)

// ReportFaults has a fault in one of the library's own threads written to f
// before it ends the process; what a thread of Go's meets is for the runtime to
// tell. f may be closed. It can be called again for another file.
func ReportFaults(f *os.File) error {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return err
	}
	syscall.CloseOnExec(fd)
	if C.edged_report_faults(C.int(fd)) != 0 {
		return errors.New("tflite: the handlers of faults cannot be set")
	}
	return nil
}

// faultInThread ends the process as a fault in the library would: for tests.
func faultInThread() { C.edged_fault_in_thread() }
