//go:build tflite && cgo

package tflite

/*
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/c/common.h>

// The npm package ships no xnnpack_delegate.h. These are the 2.9 library's
// exported functions; its options are eight bytes, passed by pointer.
typedef struct {
  int32_t num_threads;
  uint32_t flags;
} edged_xnnpack_options;

extern TfLiteDelegate* TfLiteXNNPackDelegateCreate(const edged_xnnpack_options* options);
extern void TfLiteXNNPackDelegateDelete(TfLiteDelegate* delegate);
extern TfLiteStatus TfLiteInterpreterModifyGraphWithDelegate(
    const TfLiteInterpreter* interpreter, TfLiteDelegate* delegate);

static TfLiteDelegate* edged_xnnpack(int32_t threads, uint32_t flags) {
  edged_xnnpack_options o = {threads, flags};
  return TfLiteXNNPackDelegateCreate(&o);
}

// A bounded text that collects what TFLite reports, one line a report.
typedef struct {
  size_t used;
  char text[4096];
} edged_report;

static void edged_reporter(void* user, const char* format, va_list args) {
  edged_report* r = user;
  size_t room = sizeof r->text - r->used;
  if (room < 2) return;
  int n = vsnprintf(r->text + r->used, room - 1, format, args);
  if (n < 0) return;
  r->used += (size_t)n < room - 1 ? (size_t)n : room - 2;
  r->text[r->used++] = '\n';
}

static edged_report* edged_report_new(void) { return calloc(1, sizeof(edged_report)); }

static void edged_report_to(TfLiteInterpreterOptions* o, edged_report* r) {
  TfLiteInterpreterOptionsSetErrorReporter(o, edged_reporter, r);
}
*/
import "C"

import (
	"reflect"
	"strings"
	"unsafe"

	tf "github.com/mattn/go-tflite"
)

// xnnpackInt8 is the flag without which XNNPACK leaves int8 operators to the
// builtin kernels. Flag 2, the same for uint8, must stay off: the packaged
// library has no such kernels, and fails to load every uint8 operator.
const xnnpackInt8 = 1

// The statuses of TfLiteStatus beyond go-tflite's. Its Error constant is not
// used anywhere: it equals OK.
const (
	statusDelegateError    tf.Status = 2 // the delegate cannot run the graph
	statusApplicationError tf.Status = 3 // the graph is none for a delegate
)

// xnnpack is a delegate (go-tflite's delegates.Delegater). It is applied to a
// finished interpreter and not added to the options, because only that way
// tells a graph that XNNPACK refuses from one that does not load.
type xnnpack struct{ d *C.TfLiteDelegate }

func newXNNPACK(threads int) *xnnpack {
	d := C.edged_xnnpack(C.int32_t(threads), xnnpackInt8)
	if d == nil {
		return nil
	}
	return &xnnpack{d}
}

// Ptr is the TfLiteDelegate.
func (x *xnnpack) Ptr() unsafe.Pointer { return unsafe.Pointer(x.d) }

// Delete frees the delegate. Its interpreter must be gone already.
func (x *xnnpack) Delete() {
	if x.d != nil {
		C.TfLiteXNNPackDelegateDelete(x.d)
		x.d = nil
	}
}

// apply hands x the nodes of i that it can run.
func (x *xnnpack) apply(i *tf.Interpreter) tf.Status {
	h := (*C.TfLiteInterpreter)(handle(i, "i"))
	return tf.Status(C.TfLiteInterpreterModifyGraphWithDelegate(h, x.d))
}

// report collects the texts of TFLite's error reporter. go-tflite's own
// reporter passes a va_list where variadic arguments belong: it prints garbage
// and can fault, so it is never installed.
type report struct{ r *C.edged_report }

func newReport() *report { return &report{C.edged_report_new()} }

// attach makes o report to r. r must outlive every interpreter made with o.
func (r *report) attach(o *tf.InterpreterOptions) {
	C.edged_report_to((*C.TfLiteInterpreterOptions)(handle(o, "o")), r.r)
}

// take returns the lines reported since the last call.
func (r *report) take() []string {
	text := strings.TrimSpace(C.GoStringN(&r.r.text[0], C.int(r.r.used)))
	r.r.used = 0
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Delete frees the text.
func (r *report) Delete() {
	C.free(unsafe.Pointer(r.r))
	r.r = nil
}

// handle reads the C pointer in a go-tflite object's unexported field, for the
// calls that go-tflite does not offer. A test pins the fields.
func handle(object any, field string) unsafe.Pointer {
	return reflect.ValueOf(object).Elem().FieldByName(field).UnsafePointer()
}
