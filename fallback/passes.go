package fallback

// planner is what the passes work on: the operators, and the plan that they
// become.
type planner struct {
	p *plan
	f *fuser
}

// pass is one step of planning.
type pass struct {
	name   string
	run    func(*planner) error
	spends bool // memory: it is left out where there is too little
}

// passes are the steps in their order: the first five fuse operators, the others
// work on the steps that operators become. Each one's effect is shown in
// testdata/passes as the state before and after it.
var passes = []pass{
	{name: "dilation", run: onOperators((*fuser).dilation)},             // a window between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND is a dilated one
	{name: "padding", run: onOperators((*fuser).padding)},               // PAD before a window is its padding: after dilation, which moves the windows
	{name: "activation", run: onOperators((*fuser).activation)},         // RELU and its like clamp what the operator before them writes
	{name: "residual", run: onOperators((*fuser).residual)},             // note the ADD behind a convolution, which its planner may take
	{name: "maxpool", run: onOperators((*fuser).deferPool)},             // note the max pool that its reader may compute
	{name: "steps", run: (*planner).steps},                              // shapes, routines, packed weights
	{name: "border", run: onSteps((*plan).borders)},                     // halos that writers leave in memory, in place of copies
	{name: "concat", run: onSteps((*plan).concatInPlace), spends: true}, // operands written where their concatenation wants them
	{name: "chain", run: onSteps((*plan).chains), spends: true},         // 1x1 convolutions behind others, while the result is in the cache
	{name: "memory", run: func(s *planner) error { return s.p.assignMemory() }},
}

// onOperators is the pass of a rule over the operators.
func onOperators(rule func(f *fuser, i int)) func(*planner) error {
	return func(s *planner) error {
		for i, n := range s.f.nodes {
			if n != nil {
				rule(s.f, i)
			}
		}
		return nil
	}
}

// onSteps is the pass of a rule over the steps.
func onSteps(rule func(*plan)) func(*planner) error {
	return func(s *planner) error {
		rule(s.p)
		return nil
	}
}

// steps has every operator that fusion left planned.
func (s *planner) steps() error {
	for _, n := range s.f.nodes {
		if n == nil {
			continue
		}
		if err := s.p.planNode(n); err != nil {
			return err
		}
	}
	return nil
}
