// An external delegate of TensorFlow Lite for tests: what it does is its option
// "mode". It takes RELU on float32, and computes it rightly, or not.
#include <stdlib.h>
#include <string.h>
#include <tensorflow/lite/c/common.h>

enum { kRelu = 19 };  // kTfLiteBuiltinRelu

typedef struct {
  TfLiteDelegate base;
  char mode[16];
  int runs, after;  // so many runs "late" is right
} Delegate;

typedef struct {
  Delegate* delegate;
  int in, out;
} Node;

static void* Init(TfLiteContext* c, const char* buffer, size_t n) {
  const TfLiteDelegateParams* p = (const TfLiteDelegateParams*)buffer;
  Node* node = calloc(1, sizeof *node);
  node->delegate = (Delegate*)p->delegate->data_;
  node->in = p->input_tensors->data[0];
  node->out = p->output_tensors->data[0];
  return node;
}

static void Free(TfLiteContext* c, void* data) { free(data); }

static TfLiteStatus PrepareNode(TfLiteContext* c, TfLiteNode* node) {
  const Node* n = node->user_data;
  const TfLiteIntArray* dims = c->tensors[n->in].dims;
  size_t size = sizeof(int) * (dims->size + 1);
  TfLiteIntArray* copy = malloc(size);  // the library frees it
  memcpy(copy, dims, size);
  return c->ResizeTensor(c, &c->tensors[n->out], copy);
}

static TfLiteStatus Invoke(TfLiteContext* c, TfLiteNode* node) {
  const Node* n = node->user_data;
  Delegate* d = n->delegate;
  const TfLiteTensor *in = &c->tensors[n->in], *out = &c->tensors[n->out];
  if (strcmp(d->mode, "crash") == 0) *(volatile int*)8 = 1;
  int wrong = strcmp(d->mode, "wrong") == 0 || (strcmp(d->mode, "late") == 0 && ++d->runs > d->after);
  for (size_t i = 0; i < in->bytes / sizeof(float); i++) {
    float v = in->data.f[i];
    out->data.f[i] = v > 0 ? (wrong ? 2 - v : v) : 0;
  }
  return kTfLiteOk;
}

static TfLiteStatus Prepare(TfLiteContext* c, TfLiteDelegate* base) {
  Delegate* d = base->data_;
  if (strcmp(d->mode, "fails") == 0) {
    c->ReportError(c, "the test delegate cannot prepare this graph");
    return kTfLiteDelegateError;
  }
  TfLiteIntArray* plan;
  if (c->GetExecutionPlan(c, &plan) != kTfLiteOk) return kTfLiteError;
  TfLiteIntArray* take = malloc(sizeof(int) * (plan->size + 1));
  take->size = 0;
  for (int i = 0; i < plan->size; i++) {
    TfLiteNode* node;
    TfLiteRegistration* r;
    int at = plan->data[i];
    if (c->GetNodeAndRegistration(c, at, &node, &r) != kTfLiteOk) continue;
    if (r->builtin_code == kRelu && strcmp(d->mode, "none") != 0 && c->tensors[node->inputs->data[0]].type == kTfLiteFloat32)
      take->data[take->size++] = at;
  }
  TfLiteRegistration r = {0};
  r.init = Init;
  r.free = Free;
  r.prepare = PrepareNode;
  r.invoke = Invoke;
  r.custom_name = "test delegate";
  r.version = 1;
  TfLiteStatus s = c->ReplaceNodeSubsetsWithDelegateKernels(c, r, take, base);
  free(take);
  return s;
}

__attribute__((visibility("default"))) TfLiteDelegate* tflite_plugin_create_delegate(
    char** keys, char** values, size_t n, void (*report)(const char*)) {
  Delegate* d = calloc(1, sizeof *d);
  d->after = 200;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(keys[i], "mode") == 0) {
      strncpy(d->mode, values[i], sizeof d->mode - 1);
    } else if (strcmp(keys[i], "after") == 0) {
      d->after = atoi(values[i]);
    } else {
      report("the test delegate knows the options mode and after alone");
      free(d);
      return NULL;
    }
  }
  d->base.data_ = d;
  d->base.Prepare = Prepare;
  return &d->base;
}

__attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(TfLiteDelegate* d) { free(d->data_); }
