//go:build opencv && cgo

package opencv

/*
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

typedef struct { unsigned domain; int code; char *message; } gerror;

// Why GStreamer makes no pipeline of a text: OpenCV drops it. OpenCV has loaded and
// begun GStreamer, or has none.
static const char *gst_why(const char *text) {
	void *(*parse)(const char *, void *, int, gerror **) = (void *(*)(const char *, void *, int, gerror **))dlsym(RTLD_DEFAULT, "gst_parse_launch_full");
	void (*unref)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "gst_object_unref");
	if (!parse || !unref) return 0;
	gerror *err = 0;
	void *pipeline = parse(text, 0, 1, &err); // 1: any error is the end
	if (pipeline) unref(pipeline);
	return err ? err->message : 0;
}
*/
import "C"

import "unsafe"

// whyNoPipeline is what GStreamer finds wrong with a pipeline's text, empty: nothing.
func whyNoPipeline(text string) string {
	s := append([]byte(text), 0)
	why := C.gst_why((*C.char)(unsafe.Pointer(&s[0])))
	if why == nil {
		return ""
	}
	return C.GoString(why)
}
