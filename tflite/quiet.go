//go:build tflite && cgo && linux

package tflite

/*
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
// The library tells of its own doings on C's stderr, with a severity in front.
// This stream passes all but INFO on, as it comes: nothing waits in it for a
// crash to lose. Go's own words, panics too, go to descriptor 2 and not through
// here.
static int edged_dropping, edged_midline;

static ssize_t edged_pass(void *unused, const char *text, size_t n) {
	static const char info[] = "INFO: ";
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - text) - at + 1 : n - at;
		if (!edged_midline)
			edged_dropping = length >= sizeof info - 1 && !memcmp(text + at, info, sizeof info - 1);
		for (size_t done = 0; !edged_dropping && done < length;) {
			ssize_t w = write(2, text + at + done, length - done);
			if (w <= 0) break; // nobody listens
			done += (size_t)w;
		}
		edged_midline = !end;
		at += length;
	}
	return (ssize_t)n;
}

static void edged_quiet(void) {
	cookie_io_functions_t io = {NULL, edged_pass, NULL, NULL};
	FILE *f = fopencookie(NULL, "w", io);
	if (!f) return;
	setvbuf(f, NULL, _IONBF, 0);
	stderr = f; // glibc's is a variable for this
}
#else
static void edged_quiet(void) {}
#endif

// edged_say is what a test has the library say.
static void edged_say(const char *severity, const char *text) {
	fprintf(stderr, "%s: ", severity);
	fprintf(stderr, "%s", text);
	fputc('\n', stderr);
}
*/
import "C"

import "sync"

// quiet keeps what the library says of no consequence off standard error.
var quiet = sync.OnceFunc(func() { C.edged_quiet() })

// say speaks as the library does, for tests.
func say(severity, text string) { C.edged_say(C.CString(severity), C.CString(text)) }
