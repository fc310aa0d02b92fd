//go:build tflite && cgo

package tflite

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/c/common.h>

extern TfLiteStatus TfLiteInterpreterModifyGraphWithDelegate(
    const TfLiteInterpreter* interpreter, TfLiteDelegate* delegate);

// The two functions of every external delegate, as TFLite's own loader of them
// looks them up.
typedef TfLiteDelegate* (*edged_create)(char** keys, char** values, size_t n, void (*report)(const char*));
typedef void (*edged_destroy)(TfLiteDelegate*);

typedef struct {
  void* library;
  edged_destroy destroy;
  TfLiteDelegate* delegate;
} edged_external;

// What the plugin reports, and how many operators it takes, of the one call that
// is under way: the plugin is told no context.
static pthread_mutex_t edged_lock = PTHREAD_MUTEX_INITIALIZER;
static char edged_said[1024];
static int edged_taken;
static TfLiteStatus (*edged_prepare)(TfLiteContext*, TfLiteDelegate*);
static TfLiteStatus (*edged_replace)(TfLiteContext*, TfLiteRegistration, const TfLiteIntArray*, TfLiteDelegate*);

static void edged_say(const char* text) {
  size_t used = strlen(edged_said);
  if (text != NULL) snprintf(edged_said + used, sizeof edged_said - used, "%s%s", used > 0 ? "; " : "", text);
}

static TfLiteStatus edged_count(TfLiteContext* c, TfLiteRegistration r, const TfLiteIntArray* nodes, TfLiteDelegate* d) {
  if (nodes != NULL) edged_taken += nodes->size;
  return edged_replace(c, r, nodes, d);
}

static TfLiteStatus edged_counted(TfLiteContext* c, TfLiteDelegate* d) {
  edged_replace = c->ReplaceNodeSubsetsWithDelegateKernels;
  c->ReplaceNodeSubsetsWithDelegateKernels = edged_count;
  TfLiteStatus s = edged_prepare(c, d);
  c->ReplaceNodeSubsetsWithDelegateKernels = edged_replace;
  return s;
}

// edged_load loads a library and has it make a delegate. What went wrong is in
// said, of 1024 bytes.
static edged_external* edged_load(const char* path, char** keys, char** values, size_t n, char* said) {
  edged_external* e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  pthread_mutex_lock(&edged_lock);
  edged_said[0] = 0;
  e->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (e->library == NULL) {
    edged_say(dlerror());
  } else {
    edged_create create = (edged_create)dlsym(e->library, "tflite_plugin_create_delegate");
    e->destroy = (edged_destroy)dlsym(e->library, "tflite_plugin_destroy_delegate");
    if (create == NULL || e->destroy == NULL) {
      edged_say("it is no external delegate of TensorFlow Lite: it lacks tflite_plugin_create_delegate or tflite_plugin_destroy_delegate");
    } else {
      e->delegate = create(keys, values, n, edged_say);
      if (e->delegate != NULL && e->delegate->Prepare == NULL) edged_say("its delegate has no function that prepares a graph");
    }
  }
  strcpy(said, edged_said);
  pthread_mutex_unlock(&edged_lock);
  return e;
}

static TfLiteStatus edged_apply(edged_external* e, const TfLiteInterpreter* i, int* taken) {
  pthread_mutex_lock(&edged_lock);
  edged_taken = 0;
  edged_prepare = e->delegate->Prepare;
  e->delegate->Prepare = edged_counted;
  TfLiteStatus s = TfLiteInterpreterModifyGraphWithDelegate(i, e->delegate);
  e->delegate->Prepare = edged_prepare;
  *taken = edged_taken;
  pthread_mutex_unlock(&edged_lock);
  return s;
}

// The library stays: drivers keep threads of their own, whose code must not go.
static void edged_unload(edged_external* e) {
  if (e->delegate != NULL) e->destroy(e->delegate);
  free(e);
}
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"unsafe"

	tf "github.com/mattn/go-tflite"

	"edged"
)

// plugin is a loaded external delegate.
type plugin struct {
	e    *C.edged_external
	name string
}

// OpenExternal opens models on the external delegate that an engine's name names;
// operators that it does not take run on the builtin kernels. The library is code
// of others in this process: try it in a child first.
func OpenExternal(engineName string) edged.Opener {
	return func(file []byte, o edged.Options) (edged.Engine, error) {
		library, options, err := ParseExternal(engineName)
		if err != nil {
			return nil, fmt.Errorf("tflite: %w", err)
		}
		e := &engine{name: nameBuiltin}
		if err = e.admit(&file, o, false); err == nil {
			if err = e.load(file, threads(o), false); err == nil {
				err = e.extend(library, options)
			}
		}
		if err != nil {
			e.Close()
			return nil, fmt.Errorf("tflite: %w", err)
		}
		return e, nil
	}
}

// extend hands the graph to the delegate in a library.
func (e *engine) extend(library string, options map[string]string) error {
	p, err := loadPlugin(library, options)
	if err != nil {
		return err
	}
	e.plugin = p
	var taken C.int
	h := (*C.TfLiteInterpreter)(handle(e.interpreter, "i"))
	switch status := tf.Status(C.edged_apply(p.e, h, &taken)); status {
	case tf.OK:
	case statusDelegateError, statusApplicationError:
		return fmt.Errorf("delegate %s cannot take the graph: %s", library, explain(e.graph, e.report.take()))
	default:
		return fmt.Errorf("delegate %s cannot be applied: %s", library, explain(e.graph, e.report.take()))
	}
	e.name = fmt.Sprintf("tflite %s %s (%d of %d operators)", version, p.name, int(taken), len(e.graph.Subgraphs[0].Operators))
	if err := e.allocate(); err != nil {
		return fmt.Errorf("delegate %s: %w", library, err)
	}
	return nil
}

func loadPlugin(library string, options map[string]string) (*plugin, error) {
	keys := slices.Sorted(maps.Keys(options))
	k, v := texts(keys), make([]string, len(keys))
	for i, key := range keys {
		v[i] = options[key]
	}
	values := texts(v)
	defer freeTexts(k)
	defer freeTexts(values)
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	said := (*C.char)(C.calloc(1, 1024))
	defer C.free(unsafe.Pointer(said))
	e := C.edged_load(path, unsafe.SliceData(k), unsafe.SliceData(values), C.size_t(len(keys)), said)
	if e == nil {
		return nil, errors.New("no memory for a delegate")
	}
	p := &plugin{e, filepath.Base(library)}
	if e.delegate == nil || e.delegate.Prepare == nil {
		p.Delete()
		return nil, fmt.Errorf("delegate %s: not loaded: %s", library, cmp.Or(C.GoString(said), "it makes no delegate, and does not say why"))
	}
	return p, nil
}

// texts are C strings in memory of C, ending in a null.
func texts(list []string) []*C.char {
	n := len(list) + 1
	p := (**C.char)(C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	out := unsafe.Slice(p, n)
	for i, s := range list {
		out[i] = C.CString(s)
	}
	return out
}

func freeTexts(list []*C.char) {
	for _, s := range list {
		C.free(unsafe.Pointer(s))
	}
	C.free(unsafe.Pointer(unsafe.SliceData(list)))
}

// Delete frees the delegate. Its interpreter must be gone already.
func (p *plugin) Delete() { C.edged_unload(p.e) }
