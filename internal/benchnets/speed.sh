#!/usr/bin/env bash
# Compares the engines on the nets that docs/speed.md names, interleaved in one run,
# and prints its table. RUNS=n sets the runs of each engine.
set -euo pipefail
cd "$(dirname "$0")/../.."
edged=bin/edged runs=${RUNS:-9}
nets=$(mktemp -d)
trap 'rm -rf "$nets"' EXIT

# row NET LABEL: one line of the table; ratios are TFLite with XNNPACK over edged.
row() {
  local t line="| $2 |"
  for t in 1 2; do
    line+=$("$edged" bench --compare tflite,go,tflite-builtin --threads $t --runs "$runs" "$nets/$1.tflite" 2>/dev/null |
      awk '$2=="tflite" && $4=="xnnpack" {x=$5} $2=="go" {f=$4} $4=="builtin" {b=$5} END {printf " %.2f | %.2f | %.2f | **%.2f** |", x, b, f, x/f}')
  done
  echo "$line"
}

internal/benchnets/nets.sh "$nets"
echo "| net | XNNPACK ms, 1 thread | built-in | edged | ratio | XNNPACK ms, 2 threads | built-in | edged | ratio |"
echo "|---|---|---|---|---|---|---|---|---|"
row belt_f32 "bundled net, dense, 640x480, float32"
row belt_int8 "bundled net, dense, 640x480, int8"
for width in wide narrow; do
  for type in f32 int8; do row "dense_${width}_$type" "VGG-like $width, dense, 256x256, $type"; done
done
for type in f32 int8; do row "mobilenet_v1_224_$type" "MobileNetV1 224, $type"; done
for m in face_detection_full_range pose_landmark_lite pose_landmark_full; do row "$m" "$m, float32"; done
