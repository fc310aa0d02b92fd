#!/usr/bin/env bash
# Every test of edged, called by `make test` with the cgo environment set. A step
# that fails does not keep the later ones from running.
cd "$(dirname "$0")/../.." || exit 1
. internal/setup/steps.sh
# tools: tests that run programs from `make deps-test` (mosquitto, systemd-analyze)
all="tflite opencv customenv gocv_specific_modules gocv_videoio tools"
export EDGED_BIN=$PWD/bin
# Everything with cgo is built as the programs are: gocv takes minutes, and is
# compiled once.
pie="-buildmode=pie"

step "vet"
run "go vet $pie -tags '$all' ./..."
run "go vet $pie -tags faults ./internal/faults"

step "the built programs through a short selection of faults (make test-faults: all of them)"
run "make -s build" &&
  tests "EDGED_BIN=\$PWD/bin go test $pie -tags faults -timeout 10m" "-count 1 ./internal/faults" \
    '^Test(BrokerKilled|BrokerFrozen|BrokerAbsentAtStart|WorkerSignals|ModelReplaced|KilledAtRandomPoints|TerminatedUnderLoad|FullDisk|NothingListensBeyondLoopback|ProgramsAreHardened|WeakProgramIsFoundOut|NoSecretGetsOut|ReadmeSubscribers|HexAddress|Trend)$'

step "the page in a browser, the states in which it could lie (make test-page: all of it, at two sizes, light and dark)"
run "make -s build && EDGED_BIN=\$PWD/bin node --test --test-name-pattern 'what it does|switched to|freezes' internal/page/browser/states.test.mjs"

step "generated assembly is current"
run "cd internal/kernel/gen && go vet ./... && go test ./... && go run . -o .. -check"

step "tests with TFLite and OpenCV"
tests "go test $pie -tags '$all' -timeout 15m" "./..."

# Packages whose code is the same with and without cgo were tested just now, and
# so was fallback: its one test more holds variants against each other where the
# step above held each against TFLite.
step "tests of a bare machine, of what is built differently there: no cgo, no TFLite, no OpenCV"
run "CGO_ENABLED=0 go build ./..." &&
  tests "CGO_ENABLED=0 go test -timeout 10m" \
    "$(CGO_ENABLED=0 go run ./internal/setup/bare "$all" | sed 's| ./fallback||' | grep . || echo ./...)"

step "other machines: cross-builds"
for arch in arm64 arm riscv64; do
  run "GOOS=linux GOARCH=$arch GOARM=7 CGO_ENABLED=0 go build ./..."
done

# A smoke: `make test-arm64` runs the engines' suites there.
step "arm64 under qemu: NEON against its portable twins, with the dot product and without (make test-arm64: all of it)"
tests "internal/setup/arm64.sh pure -short" ./internal/kernel/...
tests "internal/setup/arm64.sh pure -short" ./fallback Golden
tests "QEMU_CPU=cortex-a53 internal/setup/arm64.sh pure -short" "./internal/kernel/... ./fallback" 'I8|Requant|Choose|Golden'

# Every routine of the variant against its portable twin, then every operator.
step "AVX-512 with VNNI, in an emulator where this machine has none"
tests "internal/setup/avx512.sh -short" ./internal/kernel/... /avx512
tests "EDGED_CASES=2 internal/setup/avx512.sh -short" ./fallback 'TestVariantsAgree|TestFusionIsExact|TestSums|TestPoolAhead'

summary
