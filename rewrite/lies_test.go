package rewrite

import (
	"slices"

	"edged/model"
)

// lies change what the manifest says.
func lies() []alteration {
	say := func(change func(f *model.Manifest)) func(*altering) bool {
		return func(a *altering) bool { change(a.f); return true }
	}
	return []alteration{
		{"grid's origin", say(func(f *model.Manifest) { f.Grid.Origin[1]++ })},
		{"grid's stride", say(func(f *model.Manifest) { f.Grid.Stride[0]++ })},
		{"band", say(func(f *model.Manifest) { f.Band.Left += 3 })},
		{"no band", say(func(f *model.Manifest) { f.Band = nil })},
		{"receptive field", say(func(f *model.Manifest) { f.ReceptiveField[0]-- })},
		{"output stride", say(func(f *model.Manifest) { f.OutputStride[1] *= 2 })},
		{"form", say(func(f *model.Manifest) {
			f.Form = map[string]string{"dilated": "fragments", "fragments": "shifts", "shifts": "windows", "windows": "dilated"}[f.Form]
		})},
		{"baseline's file", say(func(f *model.Manifest) { f.BaselineSHA256 = flipped(f.BaselineSHA256) })},
		{"baseline's graph", say(func(f *model.Manifest) { f.BaselineGraph = flipped(f.BaselineGraph) })},
		{"baseline's graph left out", say(func(f *model.Manifest) { f.BaselineGraph, f.BaselineCheck = "", "" })},
		{"tuned from", say(func(f *model.Manifest) { f.TunedFrom = f.BaselineGraph })},
		{"revision", say(func(f *model.Manifest) { f.Rewriter++ })},
		{"no revision", say(func(f *model.Manifest) { f.Rewriter = 0 })},
		{"cuts", say(func(f *model.Manifest) { f.Cuts = append(f.Cuts, "nowhere") })},
		{"an output's grid", say(func(f *model.Manifest) { f.Outputs[0].Grid.Origin[0] += 2 })},
		{"outputs left out", say(func(f *model.Manifest) { f.Outputs = nil })},
		{"contract", func(a *altering) bool {
			if a.f.Contract == "patch" {
				a.f.Contract = "frame"
			} else {
				a.f.Contract = "patch"
			}
			return true
		}},
		{"labels swapped", func(a *altering) bool {
			if len(a.f.Labels) < 2 {
				return false
			}
			a.f.Labels = slices.Clone(a.f.Labels)
			a.f.Labels[0], a.f.Labels[1] = a.f.Labels[1], a.f.Labels[0]
			return true
		}},
		{"a mean", func(a *altering) bool {
			if len(a.f.Input.Mean) == 0 {
				return false
			}
			a.f.Input.Mean = slices.Clone(a.f.Input.Mean)
			a.f.Input.Mean[0]++
			return true
		}},
		{"channel order", func(a *altering) bool {
			other := map[string]string{"RGB": "BGR", "BGR": "RGB"}[a.f.Input.ChannelOrder]
			a.f.Input.ChannelOrder = other
			return other != ""
		}},
		{"meaning", func(a *altering) bool {
			if a.f.Output.Meaning == "" {
				return false
			}
			a.f.Output.Meaning = map[string]string{"logits": "probabilities", "probabilities": "logits", "sigmoid": "logits"}[a.f.Output.Meaning]
			return true
		}},
	}
}

func flipped(s string) string {
	if s == "" {
		return s
	}
	b := []byte(s)
	b[3] ^= 1
	return string(b)
}
