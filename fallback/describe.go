package fallback

import (
	"edged"
	"edged/internal/kernel"
	"edged/internal/kernel/conv"
	"edged/model"
)

// PlanInfo tells how the engine would run a model: for people, and for
// `edged inspect --plan`.
type PlanInfo struct {
	Engine     string     `json:"engine"`      // the name that the engine would have
	ArenaBytes int64      `json:"arena_bytes"` // what one frame works in
	FixedBytes int64      `json:"fixed_bytes"` // packed weights, constants, each thread's own memory
	Steps      []StepInfo `json:"steps"`

	Rates   *conv.Rates  `json:"rates,omitempty"`   // that choices rest on, where there are any
	Windows *WindowsInfo `json:"windows,omitempty"` // of a graph of that form
}

// StepInfo is one pass over the data. An operator may take several, as filling
// a border and multiplying; fused operators have none.
type StepInfo struct {
	Operator int    `json:"operator"`        // its index in the file
	Name     string `json:"name"`            // CONV_2D ...
	Kernel   string `json:"kernel"`          // what computes it
	Units    int    `json:"units"`           // what the threads share
	Once     bool   `json:"once"`            // before the first frame, from constants
	Times    int    `json:"times,omitempty"` // for each window, so many a frame; 0: once a frame
	MACs     int64  `json:"macs"`            // multiply-accumulates that the operator asks for
	Bytes    int64  `json:"bytes"`           // of tensors and packed weights that it reads and writes

	Choice []Candidate `json:"choice,omitempty"` // the ways that there are, the first one taken
}

// Candidate is a way to compute a step, and how long one thread is expected to
// take.
type Candidate struct {
	Kernel string  `json:"kernel"`
	MS     float64 `json:"ms"`
}

// Describe plans a model as Open does, without the memory to run it.
func Describe(file []byte, o edged.Options) (*PlanInfo, error) {
	k, err := kernel.Default()
	if err != nil {
		return nil, err
	}
	m, err := model.Read(file)
	if err != nil {
		return nil, err
	}
	o.Threads = threads(o)
	p, err := newPlan(k, m, o, nil)
	if err != nil {
		return nil, err
	}
	info := &PlanInfo{Engine: engineName(k), ArenaBytes: p.arenaBytes, FixedBytes: p.fixedBytes}
	info.Rates = p.rates
	for _, s := range p.once {
		info.Steps = append(info.Steps, p.describe(s, true))
	}
	if l := p.loop; l != nil {
		info.Windows = l.info
		if info.Rates == nil {
			info.Rates = l.plan.rates
		}
	}
	info.Steps = append(info.Steps, p.eachFrame()...)
	return info, nil
}

// eachFrame describes the passes of one frame in their order, and behind them those
// of a window.
func (p *plan) eachFrame() []StepInfo {
	var list []StepInfo
	for i := range p.steps {
		s := p.describe(&p.steps[i], false)
		if p.origin != nil {
			s.Operator = p.origin[p.steps[i].op]
		}
		list = append(list, s)
	}
	if l := p.loop; l != nil {
		for i := range l.plan.steps {
			s := l.plan.describe(&l.plan.steps[i], false)
			s.Operator, s.Times = l.origin[l.plan.steps[i].op], l.from.axis[0].count*l.from.axis[1].count
			list = append(list, s)
		}
	}
	return list
}

func (p *plan) describe(s *step, once bool) StepInfo {
	return StepInfo{Operator: s.op, Name: s.name, Kernel: s.how.String(), Units: s.units, Once: once, MACs: p.macs(s), Bytes: s.traffic(), Choice: s.choice}
}
