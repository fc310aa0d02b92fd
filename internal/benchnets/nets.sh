#!/usr/bin/env bash
# Makes the nets that docs/speed.md compares the engines on, in folder $1: classifiers
# of internal/benchnets, dense forms by bin/edged, and models of .deps.
set -euo pipefail
cd "$(dirname "$0")/../.."
nets=$1

# dense BASE NAME SIZE: the dense form of a patch classifier.
dense() { bin/edged rewrite "$1" -o "$nets/$2.tflite" --input "$3" >"$nets/log" 2>&1 || { cat "$nets/log" >&2; exit 1; }; }

go run ./internal/benchnets -o "$nets"
for type in f32 int8; do
  dense "$nets/vgg_wide_$type.tflite" "dense_wide_$type" 256x256
  dense "$nets/vgg_narrow_$type.tflite" "dense_narrow_$type" 256x256
done
dense train/nets/belt_valid.tflite belt_f32 480x640
dense train/nets/belt_valid_int8.tflite belt_int8 480x640
cp "${DEPS:-.deps}"/models/*.tflite "$nets"
