//go:build opencv && cgo

package opencv

/*
#define _GNU_SOURCE
#include <dlfcn.h>

// OpenCV has loaded libavutil, or has no FFmpeg; it passes these on to nobody.
static void av_set(const char *name, int value) {
	void (*set)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, name);
	if (set) set(value);
}
*/
import "C"

import "unsafe"

// What libavutil/log.h calls AV_LOG_VERBOSE and AV_LOG_PRINT_LEVEL.
const (
	logVerbose    = 40
	logPrintLevel = 2
)

// talkative makes FFmpeg's decoders tell when a stream changes its size, which
// they do at level verbose, and mark every line with its level. It follows the
// first opening: that is when OpenCV sets its own level, once.
func talkative() {
	set := func(name string, value C.int) {
		s := append([]byte(name), 0)
		C.av_set((*C.char)(unsafe.Pointer(&s[0])), value)
	}
	set("av_log_set_level", logVerbose)
	set("av_log_set_flags", logPrintLevel)
}
