package tflite

import "runtime"

const goarch = runtime.GOARCH
