// Package rewrite turns a strided convolutional net into the dense net that
// computes the same outputs at every position: eConv and ePool of Wu, Xie and
// Luo, "Dense CNN Learning with Equivalent Mappings", arXiv 1605.07251. It also
// goes the way back, prices every output stride, and proves the result.
//
// A baseline is lifted from its .tflite graph to a small net of maps (lift.go),
// every map is placed on the frame (place.go: eST, origin, receptive field),
// made dense (densify.go), and lowered to one of three forms: dilated and
// fragments (lower.go), shifts (lower_shifts.go). rewrite.go holds the list of
// passes.
// Verify knows none of that: it runs both files and compares.
//
// Pairs are per axis in the order y, x, in pixels of the input unless said
// otherwise.
package rewrite
