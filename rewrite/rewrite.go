package rewrite

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edged/model"
)

// state is what the passes work on.
type state struct {
	opts     Options
	sha      string       // of the baseline's file
	base     *model.Model // as read
	work     *model.Model // with its shapes, and cut
	net      *net
	dense    *dense
	contract Contract
	form     Form
	reason   string
	graph    *emitter // what was lowered
	weights  map[int32]weightRef
	notes    []string // for the manifest
	cuts     []string // tensors at which the graph was ended, as they are called
	result   *Result
}

// pass is one step of a rewriting.
type pass struct {
	name string
	run  func(*state) error
}

// passes are the steps in their order. Each one's effect is shown in
// testdata/passes as the state before and after it.
var passes = []pass{
	{"cut", (*state).cut},           // end the graph where asked
	{"lift", (*state).lift},         // see maps instead of layouts; freeze pads; turn heads into windows
	{"place", (*state).place},       // eST, origin, receptive field and length of every map on the frame
	{"contract", (*state).promise},  // what the dense graph will promise, or a refusal
	{"densify", (*state).densify},   // which strides stay, which become dilations
	{"lower", (*state).lower},       // write the form's graph
	{"carry", (*state).carry},       // signatures, metadata
	{"versions", (*state).versions}, // operator versions by the schema's rules
	{"check", (*state).check},       // shapes once more, by the model's own inference
	{"manifest", (*state).manifest},
}

// Rewrite makes the dense graph of base. sha is the SHA-256 of base's file in
// hex; base is not changed.
//
// The error is a *Refusal where no exact dense graph exists, a *UsageError
// where the options make no sense for this net.
func Rewrite(base *model.Model, sha string, o Options) (_ *Result, err error) {
	defer noPanic(&err)
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r, err := rewriteAs(base, sha, o)
	if asRefusal(err) == nil || o.Form == Windows {
		return r, err
	}
	return orWindows(base, sha, o, asRefusal(err))
}

func rewriteAs(base *model.Model, sha string, o Options) (*Result, error) {
	s := &state{opts: o, sha: sha, base: base, form: o.Form, result: &Result{}}
	for _, p := range passes {
		if err := p.run(s); err != nil {
			return nil, p.failed(err)
		}
	}
	return s.result, nil
}

// noPanic turns a panic over a graph that nobody has thought of into an error:
// no file is written, and the message says whose fault it is.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("rewrite: BUG: %v: please report the model", r)
	}
}

// failed names the pass in an error that is no answer to the user.
func (p pass) failed(err error) error {
	var usage *UsageError
	if asRefusal(err) != nil || errors.As(err, &usage) {
		return err
	}
	return fmt.Errorf("rewrite: pass %s: %w", p.name, err)
}

// cut takes a private copy, gives it a size where that is open, and ends it at
// the tensors asked for.
func (s *state) cut() error {
	if len(s.base.Subgraphs) == 0 {
		return &Refusal{Reason: "the model has no graph"}
	}
	s.work = s.base.Clone()
	if err := s.base.Rewritable(); err != nil {
		return &Refusal{Reason: strings.TrimPrefix(err.Error(), "model: "), Instead: "use the edged of that schema, or export the model for an older runtime"}
	}
	for _, u := range s.base.Unknown {
		s.notes = append(s.notes, "not carried: "+u.String())
	}
	g := s.work.Subgraphs[0]
	for _, op := range g.Operators {
		if n := s.work.Code(op).Builtin; n == model.OpIf || n == model.OpWhile || n == model.OpCallOnce {
			return &Refusal{Op: n.String(), Index: slices.Index(g.Operators, op), Reason: "calls another graph", Instead: "convert the model without control flow"}
		}
	}
	if err := s.endWhereAsked(); err != nil {
		return err
	}
	return s.inOneTensor()
}

// inOneTensor refuses tensors of no numbers, and those whose scales lie in
// other tensors: every copy of one would have to take them along.
func (s *state) inOneTensor() error {
	g := s.work.Subgraphs[0]
	for i, op := range g.Operators {
		for _, t := range slices.Concat(op.Inputs, op.Outputs) {
			if t < 0 {
				continue
			}
			if typ := g.Tensors[t].Type; typ.Bits() == 0 {
				return &Refusal{Op: s.work.Code(op).Name(), Index: i, Reason: fmt.Sprintf("its tensor %s is of type %s, not of numbers", g.TensorName(t), typ), Instead: "--cut a tensor before it"}
			}
			if how := g.Tensors[t].Blocks(); how != "" {
				return &Refusal{Op: s.work.Code(op).Name(), Index: i, Reason: fmt.Sprintf("its tensor %s has %s", g.TensorName(t), how),
					Instead: "quantise the net with a scale a tensor or a channel, or --cut a tensor before it"}
			}
		}
	}
	return nil
}

// findTensor finds a tensor by its name, or by the start of it that a listing
// shortened with an ellipsis.
func findTensor(g *model.Subgraph, name string) (int32, error) {
	start, short := strings.CutSuffix(name, "…")
	found := int32(-1)
	for i, t := range g.Tensors {
		if t.Name == name {
			return int32(i), nil
		}
		if short && strings.HasPrefix(t.Name, start) {
			if found >= 0 {
				return -1, usagef("cut %q: several tensors start like this; give the whole name", name)
			}
			found = int32(i)
		}
	}
	if found < 0 {
		if i := tensorCalled(g, name); i >= 0 {
			return int32(i), nil
		}
		return -1, usagef("cut %q: no tensor has this name (edged inspect lists them; #12 is tensor 12)", name)
	}
	return found, nil
}

// tensorCalled finds a tensor by its name, or by its number after a #: names
// may be missing, and may be there twice. -1 where there is none.
func tensorCalled(g *model.Subgraph, name string) int {
	if i := slices.IndexFunc(g.Tensors, func(t *model.Tensor) bool { return t.Name == name }); i >= 0 {
		return i
	}
	number, ok := strings.CutPrefix(name, "#")
	if i, err := strconv.Atoi(number); ok && err == nil && i >= 0 && i < len(g.Tensors) {
		return i
	}
	return -1
}

// callName is what --cut calls tensor t.
func callName(g *model.Subgraph, t int32) string {
	name := g.Tensors[t].Name
	if name == "" || tensorCalled(g, name) != int(t) {
		return fmt.Sprint("#", t)
	}
	return name
}

func (s *state) lift() error {
	n, err := lift(s.work)
	if err != nil {
		return err
	}
	n.prune()
	s.net, s.work = n, n.m
	return nil
}

func (s *state) place() error {
	frame := s.net.input.n
	if s.opts.Input != [2]int{} {
		frame = s.opts.Input
	}
	if s.form == Windows {
		d, err := s.net.asWindows(frame, s.opts.stride())
		s.dense = d
		return err
	}
	for _, o := range s.net.outputs {
		if o.val == nil {
			return s.net.suggestCut(o)
		}
	}
	return s.net.place(frame)
}

// isPatch reports whether every output is a single position: the net of a
// patch classifier.
func (n *net) isPatch() bool {
	return !slices.ContainsFunc(n.outputs, func(o *output) bool { return o.val == nil || o.val.n != pair{1, 1} })
}

// promise settles the contract.
func (s *state) promise() error {
	if s.form == Windows {
		s.contract = Patch
		return nil
	}
	s.contract = Frame
	if !s.net.isPatch() {
		if s.opts.Contract == Patch {
			return &Refusal{Reason: "the net's output is a map already, so there are no patches to keep it on", Instead: "use --contract frame, the only one here"}
		}
		return nil
	}
	if err := holdsPatch(s.net.frame, s.net.input.n); err != nil {
		return err
	}
	if s.opts.Contract == Frame {
		return nil
	}
	s.contract = Patch
	if why := s.net.keepsPatches(); why != nil {
		return why
	}
	return nil
}

// keepsPatches is nil where a dense net sees on the frame what the baseline
// sees on a patch, else the first operator for which that is not so.
func (n *net) keepsPatches() *Refusal {
	for _, nd := range n.nodes {
		if nd.win.a[0] > 0 || nd.win.a[1] > 0 || nd.win.b[0] > 0 || nd.win.b[1] > 0 {
			return &Refusal{Op: n.opName(nd.op), Index: nd.index,
				Reason:  "pads its input: on a patch it sees zeros where the frame has true pixels, so only patch by patch keeps the patch contract",
				Instead: n.frameCure()}
		}
		if nd.kind == kindMixed || nd.kind == kindUp || nd.scales && n.frame != n.input.n {
			return &Refusal{Op: n.opName(nd.op), Index: nd.index, Reason: nd.refuse, Instead: n.frameCure()}
		}
	}
	return nil
}

// frameCure is the frame contract as advice, or a cut where that would be refused as
// well: what sees the whole map, or its place, sees another one on another
// frame, and on its own frame it has the form shifts alone.
func (n *net) frameCure() string {
	switch {
	case !slices.ContainsFunc(n.nodes, func(nd *node) bool { return nd.kind == kindMixed || nd.scales }):
		return "use --contract frame"
	case n.frame != n.input.n:
		return "--cut a tensor before it"
	}
	return "use --contract frame --form shifts"
}

func (s *state) densify() error {
	if s.form == Windows {
		return nil // nothing is dilated
	}
	d, err := s.net.densify(s.opts.stride())
	s.dense = d
	return err
}

// lower writes the graph in the form asked for, or in the cheapest exact one.
func (s *state) lower() error {
	s.form = s.opts.Form
	switch s.form {
	case Dilated, Fragments:
		return s.lowerAs(s.form, "as asked for")
	case Shifts:
		return s.lowerShifts("as asked for")
	case Windows:
		return s.lowerWindows("as asked for")
	}
	if s.identity() {
		return s.lowerAs(Dilated, "every output has stride 1 already: nothing to rewrite")
	}
	err := s.lowerAs(Dilated, "exact for every operator, with the fewest multiplications and the fewest copies")
	if err == nil {
		return nil
	}
	why := asRefusal(err)
	if why == nil || s.net.placed() {
		return err
	}
	serr := s.lowerShifts("the only exact form here: " + why.short())
	if serr == nil {
		serr = s.affordable()
	}
	if last := asRefusal(serr); last != nil && last.Op != "" && last.Op == why.Op && last.Index == why.Index {
		return last
	}
	if serr != nil {
		both := *why
		both.Instead = "the form shifts does not help either (" + strings.TrimPrefix(serr.Error(), "rewrite: ") + "); end the net earlier with --cut TENSOR"
		return &both
	}
	return nil
}

// placed reports whether a constant belongs to the places of a map: what such a
// net says of another place nobody has asked it yet, so that only who asks for
// the form shifts by name gets it.
func (n *net) placed() bool {
	return slices.ContainsFunc(n.nodes, func(nd *node) bool { return nd.placed })
}

// shiftsBudget is how much memory auto lets the form shifts take, in bytes;
// who wants more asks for the form by name.
const shiftsBudget = 2 << 30

func (s *state) affordable() error {
	if need := activationBytes(s.graph.m); need > shiftsBudget {
		return &Refusal{Reason: fmt.Sprintf("it would take %d MB of activations", need>>20), Instead: "a larger --output-stride takes less"}
	}
	return nil
}

func (s *state) lowerAs(f Form, reason string) error {
	lo, err := s.dense.lower(f == Fragments)
	if err != nil {
		return err
	}
	s.form, s.reason, s.graph, s.weights = f, reason, lo.emitter, lo.weights
	return nil
}

func (s *state) lowerWindows(reason string) error {
	e, err := s.dense.stackWindows()
	if err != nil {
		return err
	}
	s.reason, s.graph, s.weights = reason, e, e.weights
	return nil
}

// identity reports whether there is nothing to do.
func (s *state) identity() bool {
	return s.dense.nothingDilated() && s.dense.q == pair{1, 1}
}
