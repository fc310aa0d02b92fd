#!/usr/bin/env bash
# Runs tests built for linux/arm64 under qemu-user: parity with the real arm64
# TFLite and the NEON kernels without a board. It says nothing about speed.
#
#   arm64.sh cgo  PACKAGE... [go test flags]   with cgo and the package's TFLite
#   arm64.sh pure PACKAGE... [go test flags]   CGO_ENABLED=0
#   arm64.sh edged ARGUMENT...                 the cross-built edged itself
#
# Memory cannot be measured here (qemu keeps what a thread leaves behind), so
# tests called ...LeavesMemoryFlat are left out, and the heaviest models too.
# EDGED_MUTANT_COUNT keeps the damaged graphs few. QEMU_CPU names a processor;
# the default has everything.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:?cgo, pure or edged}
shift
lib=${DEPS:-$(realpath .deps)}/tflite
qemu="qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$lib/linux_arm64"

unset LD_LIBRARY_PATH
export GOARCH=arm64 CGO_ENABLED=0 EDGED_MUTANT_COUNT=${EDGED_MUTANT_COUNT:-300}
if [ "$mode" != pure ]; then
  export CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc EDGED_RUN=$qemu DEPS=${lib%/tflite}
  export CGO_CFLAGS="-g -O2 -I$lib/include" CGO_LDFLAGS="-L$lib/linux_arm64 -ltensorflowlite_c"
fi
case $mode in
edged) exec go run -tags tflite -exec "$qemu" ./cmd/edged "$@" ;;
cgo) set -- -tags tflite "$@" ;;
esac
exec go test -exec "$qemu" -timeout 20m -skip 'LeavesMemoryFlat|EveryNPMModel' "$@"
