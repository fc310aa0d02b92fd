// The reference for tflite's tests: TFLite's C API and nothing else, sharing
// no line with the engine.
//
//   capi MODEL INPUT OUTPUT xnnpack|builtin
//
// reads every input tensor in turn from INPUT (raw bytes), runs once, and
// writes every output tensor in turn to OUTPUT.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/lite/c/c_api.h"

struct xnnpack_options { int num_threads; unsigned flags; };
TfLiteDelegate* TfLiteXNNPackDelegateCreate(const struct xnnpack_options*);
void TfLiteXNNPackDelegateDelete(TfLiteDelegate*);

static void must(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "capi: %s\n", what);
  exit(1);
}

int main(int argc, char** argv) {
  must(argc == 5, "usage: capi MODEL INPUT OUTPUT xnnpack|builtin");
  TfLiteModel* model = TfLiteModelCreateFromFile(argv[1]);
  must(model != NULL, "no model");
  FILE* in = fopen(argv[2], "rb");
  FILE* out = fopen(argv[3], "wb");
  must(in && out, "no input or output file");

  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  TfLiteDelegate* delegate = NULL;
  if (strcmp(argv[4], "xnnpack") == 0) {
    struct xnnpack_options o = {1, 3};
    must((delegate = TfLiteXNNPackDelegateCreate(&o)) != NULL, "no delegate");
    TfLiteInterpreterOptionsAddDelegate(options, delegate);
  }
  TfLiteInterpreter* interpreter = TfLiteInterpreterCreate(model, options);
  must(interpreter != NULL, "no interpreter");
  must(TfLiteInterpreterAllocateTensors(interpreter) == kTfLiteOk, "no memory plan");

  int n = TfLiteInterpreterGetInputTensorCount(interpreter);
  for (int i = 0; i < n; i++) {
    TfLiteTensor* t = TfLiteInterpreterGetInputTensor(interpreter, i);
    size_t size = TfLiteTensorByteSize(t);
    must(fread(TfLiteTensorData(t), 1, size, in) == size, "input file too short");
  }
  must(TfLiteInterpreterInvoke(interpreter) == kTfLiteOk, "run failed");
  n = TfLiteInterpreterGetOutputTensorCount(interpreter);
  for (int i = 0; i < n; i++) {
    const TfLiteTensor* t = TfLiteInterpreterGetOutputTensor(interpreter, i);
    size_t size = TfLiteTensorByteSize(t);
    must(fwrite(TfLiteTensorData(t), 1, size, out) == size, "output file not written");
  }
  must(fclose(out) == 0, "output file not written");
  fclose(in);

  TfLiteInterpreterDelete(interpreter);
  if (delegate) TfLiteXNNPackDelegateDelete(delegate);
  TfLiteInterpreterOptionsDelete(options);
  TfLiteModelDelete(model);
  return 0;
}
