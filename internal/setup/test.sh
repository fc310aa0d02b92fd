#!/usr/bin/env bash
# Every test of edged, called by `make test` with the cgo environment set.
set -euo pipefail
cd "$(dirname "$0")/../.."
# tools: tests that run programs from `make deps-test` (mosquitto, systemd-analyze)
all="tflite opencv customenv gocv_specific_modules gocv_videoio tools"
step() { printf '\n== %s\n' "$*"; }

step "vet"
go vet -tags "$all" ./...

step "the built programs through a short selection of faults (make test-faults: all of them)"
make -s build
go vet -tags faults ./internal/faults
EDGED_BIN=$PWD/bin go test -tags faults -count 1 -timeout 10m ./internal/faults \
  -run '^Test(BrokerKilled|BrokerFrozen|BrokerAbsentAtStart|WorkerSignals|ModelReplaced|KilledAtRandomPoints|TerminatedUnderLoad|FullDisk|NothingListensBeyondLoopback|NoSecretGetsOut|ReadmeSubscribers|HexAddress|Trend)$'

step "generated assembly is current"
(cd internal/kernel/gen && go vet ./... && go test ./... && go run . -o .. -check)

step "tests with TFLite and OpenCV"
go test -tags "$all" -timeout 15m ./...

step "tests of a bare machine: no cgo, no TFLite, no OpenCV"
CGO_ENABLED=0 go build ./...
CGO_ENABLED=0 go test -timeout 10m ./...

step "other machines: cross-builds"
for arch in arm64 arm riscv64; do
  GOOS=linux GOARCH=$arch GOARM=7 CGO_ENABLED=0 go build ./...
done

# Fewer cases than natively: qemu is ten times slower, and the arithmetic is
# the same for every case of an operator.
step "arm64 under qemu: TFLite's engine, and what is Go and assembly alone"
EDGED_CASES=${EDGED_CASES:-3} internal/setup/arm64.sh cgo ./tflite
internal/setup/arm64.sh edged bench "${DEPS:-.deps}/models/face_detection_short_range.tflite" --engine tflite --threads 1 --runs 1
EDGED_CASES=${EDGED_CASES:-6} internal/setup/arm64.sh pure ./internal/enginetest ./internal/kernel/... ./fallback/... ./rewrite/...

step "arm64 without the dot product: the processor of a Raspberry Pi 3"
QEMU_CPU=cortex-a53 internal/setup/arm64.sh pure -short -run 'I8|Requant|Choose|Golden' ./internal/kernel/... ./fallback

# Every routine of the variant against its portable twin, then every operator.
step "AVX-512 with VNNI, in an emulator where this machine has none"
internal/setup/avx512.sh ./internal/kernel/... -short -run /avx512
EDGED_CASES=2 internal/setup/avx512.sh ./fallback -short -run 'TestVariantsAgree|TestFusionIsExact|TestSums|TestPoolAhead'
