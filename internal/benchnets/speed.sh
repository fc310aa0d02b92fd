#!/usr/bin/env bash
# Compares the engines on the nets that README names, interleaved in one run,
# and prints README's table. RUNS=n sets the runs of each engine.
set -euo pipefail
cd "$(dirname "$0")/../.."
edged=bin/edged runs=${RUNS:-30}
nets=$(mktemp -d)
trap 'rm -rf "$nets"' EXIT

# dense BASE NAME SIZE: the dense form of a patch classifier.
dense() { "$edged" rewrite "$1" -o "$nets/$2.tflite" --input "$3" >/dev/null 2>&1; }

# row MODEL LABEL: one line of the table; ratios are TFLite with XNNPACK over edged.
row() {
  local t line="| $2 |"
  for t in 1 2; do
    line+=$("$edged" bench --compare tflite,fallback,tflite-builtin --threads $t --runs "$runs" "$1" 2>/dev/null |
      awk '$2=="tflite" && $4=="xnnpack" {x=$5} $2=="fallback" {f=$4} $4=="builtin" {b=$5} END {printf " %.2f | %.2f | %.2f | **%.2f** |", x, b, f, x/f}')
  done
  echo "$line"
}

go run ./internal/benchnets -o "$nets"
echo "| net | XNNPACK ms, 1 thread | built-in | edged | ratio | XNNPACK ms, 2 threads | built-in | edged | ratio |"
echo "|---|---|---|---|---|---|---|---|---|"
dense train/nets/belt_valid.tflite belt_f32 480x640
dense train/nets/belt_valid_int8.tflite belt_int8 480x640
row "$nets/belt_f32.tflite" "bundled net, dense, 640x480, float32"
row "$nets/belt_int8.tflite" "bundled net, dense, 640x480, int8"
for width in wide narrow; do
  for type in f32 int8; do
    dense "$nets/vgg_${width}_$type.tflite" dense 256x256
    row "$nets/dense.tflite" "VGG-like $width, dense, 256x256, $type"
  done
done
for type in f32 int8; do row "$nets/mobilenet_v1_224_$type.tflite" "MobileNetV1 224, $type"; done
for m in face_detection_full_range pose_landmark_lite pose_landmark_full; do
  row "${DEPS:-.deps}/models/$m.tflite" "$m, float32"
done
