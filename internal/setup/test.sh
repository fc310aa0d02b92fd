#!/usr/bin/env bash
# Every test of edged, called by `make test` with the cgo environment set. A step
# that fails does not keep the later ones from running.
cd "$(dirname "$0")/../.." || exit 1
. internal/setup/steps.sh
# tools: tests that run programs from `make deps-test` (mosquitto, systemd-analyze)
all="tflite opencv customenv gocv_specific_modules gocv_videoio tools"
export EDGED_BIN=$PWD/bin

step "vet"
run "go vet -tags '$all' ./..."
run "go vet -tags faults ./internal/faults"

step "the built programs through a short selection of faults (make test-faults: all of them)"
run "make -s build" &&
  tests "EDGED_BIN=\$PWD/bin go test -tags faults -timeout 10m" "-count 1 ./internal/faults" \
    '^Test(BrokerKilled|BrokerFrozen|BrokerAbsentAtStart|WorkerSignals|ModelReplaced|KilledAtRandomPoints|TerminatedUnderLoad|FullDisk|NothingListensBeyondLoopback|ProgramsAreHardened|WeakProgramIsFoundOut|NoSecretGetsOut|ReadmeSubscribers|HexAddress|Trend)$'

step "the page in a browser, the states in which it could lie (make test-page: all of it, at two sizes, light and dark)"
run "make -s build && EDGED_BIN=\$PWD/bin node --test --test-name-pattern 'what it does|switched to|freezes' internal/page/browser/"

step "generated assembly is current"
run "cd internal/kernel/gen && go vet ./... && go test ./... && go run . -o .. -check"

step "tests with TFLite and OpenCV"
tests "go test -buildmode=pie -tags '$all' -timeout 15m" "./..."

# Packages whose code is the same with and without cgo were tested just now.
step "tests of a bare machine, of what is built differently there: no cgo, no TFLite, no OpenCV"
run "CGO_ENABLED=0 go build ./..." &&
  tests "CGO_ENABLED=0 go test -timeout 10m" "$(CGO_ENABLED=0 go run ./internal/setup/bare "$all" || echo ./...)"

step "other machines: cross-builds"
for arch in arm64 arm riscv64; do
  run "GOOS=linux GOARCH=$arch GOARM=7 CGO_ENABLED=0 go build ./..."
done

# Fewer cases than natively: qemu is ten times slower, and the arithmetic is
# the same for every case of an operator.
step "arm64 under qemu: TFLite's engine, and what is Go and assembly alone"
tests "EDGED_CASES=${EDGED_CASES:-3} internal/setup/arm64.sh cgo" ./tflite
run "internal/setup/arm64.sh edged bench ${DEPS:-.deps}/models/face_detection_short_range.tflite --engine tflite --threads 1 --runs 1"
tests "EDGED_CASES=${EDGED_CASES:-6} internal/setup/arm64.sh pure" "./internal/enginetest ./internal/kernel/... ./fallback/... ./rewrite/..."

step "arm64 without the dot product: the processor of a Raspberry Pi 3"
tests "QEMU_CPU=cortex-a53 internal/setup/arm64.sh pure -short" "./internal/kernel/... ./fallback" 'I8|Requant|Choose|Golden'

# Every routine of the variant against its portable twin, then every operator.
step "AVX-512 with VNNI, in an emulator where this machine has none"
tests "internal/setup/avx512.sh -short" ./internal/kernel/... /avx512
tests "EDGED_CASES=2 internal/setup/avx512.sh -short" ./fallback 'TestVariantsAgree|TestFusionIsExact|TestSums|TestPoolAhead'

summary
