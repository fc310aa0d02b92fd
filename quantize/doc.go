// Package quantize turns a float32 .tflite (or one with float16 weights) into a
// full int8 one, as TensorFlow Lite's 8-bit quantization specification lays it
// down: weights with a scale a channel, activations with a scale a tensor that is
// learnt from pictures, biases in the steps of their accumulators.
//
// Net is the whole of it; Apply alone writes the graph, for who knows the ranges.
//
// What is learnt of a patch classifier without padding is learnt on whole frames,
// through its dense form, and a dense net that edged rewrite made is quantised as
// its baseline and rewritten again. So it does not matter which of the two comes
// first: weights and scales are the same.
package quantize
