package fallback

import (
	"time"

	"edged/model"
)

// Steps describes the passes of one frame in their order.
func (e *Engine) Steps() []StepInfo {
	if e.plan == nil {
		return nil
	}
	return e.plan.eachFrame()
}

// RunTimed is Run that also tells how long each of Steps took. took has as many
// elements as there are steps.
func (e *Engine) RunTimed(took []time.Duration) error {
	if e.plan == nil {
		return errClosed
	}
	return e.plan.compute(e.pool, took)
}

// macs is the number of multiply-accumulates that s's operator asks for, of a
// step that computes its result; 0 for others. How the kernel gets there, as
// with fewer products by Winograd, does not count.
func (p *plan) macs(s *step) int64 {
	if s.macs > 0 {
		return s.macs
	}
	op := p.sub.Operators[s.op]
	if len(s.writes) == 0 || s.writes[0].index < 0 || len(op.Inputs) < 2 || op.Inputs[1] < 0 {
		return 0
	}
	out, filter := int64(s.writes[0].elems()), p.tensors[op.Inputs[1]]
	switch p.m.Code(op).Builtin {
	case model.OpConv2D, model.OpFullyConnected:
		return out * int64(filter.elems()/max(filter.shape[0], 1))
	case model.OpDepthwiseConv2D:
		return out * int64(filter.elems()/max(filter.shape[3], 1))
	}
	return 0
}

// traffic is the bytes of tensors and packed constants that s reads and writes,
// each once.
func (s *step) traffic() int64 {
	var n int64
	for _, group := range [][]*tensor{s.reads, s.writes} {
		for _, t := range group {
			n += t.bytes
		}
	}
	for _, k := range s.packers {
		n += k.bytes
	}
	return n
}
