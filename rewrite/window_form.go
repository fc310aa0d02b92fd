package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// The form windows is the patch contract itself: every window of the frame, one
// a row of the batch, through the baseline as it was compiled. It is exact for
// every patch classifier that treats its batch row by row, whatever the net
// looks at inside its window: paddings, statistics, scales, positions.

// asWindows sees a patch classifier as one window of the patch's size that
// moves over the frame by q pixels. What happens inside is not looked at: the
// maps within have no place.
func (n *net) asWindows(frame, q pair) (*dense, error) {
	patch := n.input.n
	if err := holdsPatch(frame, patch); err != nil {
		return nil, err
	}
	n.frame = frame
	d := &dense{net: n, q: q, steps: map[*node]step{}, maps: map[*value]denseMap{n.input: {frame}}}
	for _, o := range n.outputs {
		if err := n.onePosition(o); err != nil {
			return nil, err
		}
		var t pair
		for i := range t {
			t[i] = floorDiv(frame[i]-patch[i], q[i]) + 1
			o.val.grid[i] = axisGrid{e: q[i], r: patch[i], n: t[i], span: (t[i]-1)*q[i] + 1, before: unpadded, after: unpadded}
		}
		d.maps[o.val] = denseMap{t}
	}
	return d, nil
}

// onePosition makes an output a map of one position, also where its operators
// are none that a grid is known of; an output of more is refused.
func (n *net) onePosition(o *output) error {
	t := n.g.Tensors[o.tensor]
	many := &Refusal{Reason: fmt.Sprintf("output %q of shape %v is more than one position: no patch classifier, and only those answer window by window", t.Name, t.Shape),
		Instead: "use another form, or --cut a tensor that is one position"}
	if o.val != nil {
		if o.val.n != (pair{1, 1}) {
			return many
		}
		return nil
	}
	ch, last := 1, len(t.Shape)-1
	for i, d := range t.Shape {
		if d > 1 {
			if i != last || i == 0 {
				return many
			}
			ch = int(d)
		}
	}
	if n.flattened[o.tensor] || last < 0 || !n.dependsOnInput(o.tensor) {
		return many
	}
	o.val = &value{tensor: o.tensor, typ: t.Type, quant: t.Quantization, name: t.Name, n: pair{1, 1}, ch: ch}
	dims := make([][]atom, len(t.Shape))
	dims[last] = []atom{atomC}
	n.layouts[o.tensor] = newLayout(o.val, dims)
	return nil
}

// dependsOnInput tells an answer from a constant.
func (n *net) dependsOnInput(t int32) bool {
	moved := map[int32]bool{n.input.tensor: true}
	for _, op := range n.g.Operators {
		if slices.ContainsFunc(op.Inputs, func(i int32) bool { return moved[i] }) {
			for _, o := range op.Outputs {
				moved[o] = true
			}
		}
	}
	return moved[t]
}

// orWindows is what is left where no form was exact: window by window, if the
// net is a patch classifier and the form, the contract and the stride are not
// asked for otherwise; else the refusal, which then names that form.
func orWindows(base *model.Model, sha string, o Options, why *Refusal) (*Result, error) {
	w := o
	w.Form, w.Contract = Windows, DefaultContract
	free := (o.Form == "" || o.Form == Auto) && o.Contract != Frame && o.OutputStride[0] > 0 && o.OutputStride[1] > 0
	if !free {
		if !mayWindow(base, w) {
			return nil, why
		}
		return nil, why.orElse("use --form windows --output-stride Q, any Q from 1, which is exact for every patch classifier (--plan prices it)")
	}
	r, err := rewriteAs(base, sha, w)
	if asRefusal(err) != nil {
		return nil, why
	}
	if err == nil {
		r.Reason = "the only form that keeps the patch contract here: " + why.short()
	}
	return r, err
}

// mayWindow tells whether the net answers for one window of the frame at a time.
func mayWindow(base *model.Model, o Options) bool {
	s := &state{opts: o, base: base, form: Windows, result: &Result{}}
	for i := range o.OutputStride {
		s.opts.OutputStride[i] = 1 << 15 // one window
	}
	for _, p := range passes {
		if p.name == "carry" {
			return true
		}
		if p.run(s) != nil {
			return false
		}
	}
	return true
}
