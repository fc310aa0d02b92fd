package rewrite

import "edged/model"

// Again rewrites a baseline as dense's manifest says that dense was made: by its
// form, output stride, contract, cuts and input size. sha is the SHA-256 of the
// baseline's file in hex.
func Again(base *model.Model, sha string, dense *model.Model) (_ *Result, err error) {
	defer noPanic(&err)
	f, err := dense.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil || f.Form == "" {
		return nil, &Refusal{Reason: "the model carries no manifest that says how it was made: it was not written by edged rewrite"}
	}
	return rewriteLike(base, sha, dense, f, f.OutputStride, Contract(f.Contract))
}

// Resized rewrites dense's baseline, with the weights that dense holds now, as
// dense was, for an input of another size.
func Resized(dense *model.Model, input [2]int) (_ *Result, err error) {
	defer noPanic(&err)
	base, err := Inverse(dense)
	if err != nil {
		return nil, err
	}
	f, err := dense.Manifest()
	if err != nil {
		return nil, err
	}
	return Rewrite(base, "", Options{Input: input, OutputStride: f.OutputStride, Form: Form(f.Form), Contract: Contract(f.Contract), Cuts: f.Cuts,
		Facts: &model.Manifest{Labels: f.Labels, Input: f.Input, Output: f.Output}})
}
