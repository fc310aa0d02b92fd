#!/usr/bin/env bash
# Every test of arm64 that an emulator can run, called by `make test-arm64` with
# the cgo environment set. Fewer cases than natively: qemu is ten times slower,
# and the arithmetic is the same for every case of an operator.
cd "$(dirname "$0")/../.." || exit 1
. internal/setup/steps.sh

step "TFLite's engine"
tests "EDGED_CASES=${EDGED_CASES:-3} internal/setup/arm64.sh cgo" ./tflite
run "internal/setup/arm64.sh edged bench ${DEPS:-.deps}/models/face_detection_short_range.tflite --engine tflite --threads 1 --runs 1"

step "what is Go and assembly alone, on a processor that has everything"
tests "EDGED_CASES=${EDGED_CASES:-6} internal/setup/arm64.sh pure" "./internal/enginetest ./internal/kernel/... ./fallback/... ./rewrite/..."

for cpu in cortex-a53 cortex-a72 cortex-a76; do
  step "the kernels on a $cpu"
  tests "QEMU_CPU=$cpu EDGED_CASES=${EDGED_CASES:-3} internal/setup/arm64.sh pure -short" "./internal/kernel/... ./fallback"
done

summary
