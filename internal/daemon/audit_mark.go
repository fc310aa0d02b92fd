package daemon

// auditOf is the name under which the state remembers a camera's audit; a camera
// cannot have it.
func auditOf(camera string) string { return camera + " (audit)" }

// auditMark marks the audit's work for the run after a crash: what ends the
// daemon in there is no fault of the model in use.
func (u *unit) auditMark(sha string) func(running bool) {
	u.d.stateMu.Lock() // two cameras must not take one mark
	mark := u.d.memory.marks.of(auditOf(u.cfg.Name))
	u.d.stateMu.Unlock()
	return func(running bool) {
		if running {
			mark.set(inferring, sha)
		} else {
			mark.set(idle, "")
		}
	}
}

// auditEngines are the engines that the audit of a model runs the baseline on: all,
// or the one alone that cannot crash where the daemon has crashed in that audit
// before.
func (u *unit) auditEngines(l *loaded) []string {
	all := u.enginesFrom(l.asked)
	name := auditOf(u.cfg.Name)
	u.d.stateMu.Lock()
	mm := u.d.memory.of(name)
	crashed := mm.Candidate == l.file.SHA256 && mm.Attempts > 0
	_, err := u.d.memory.attempt(name, l.file.SHA256)
	u.d.stateMu.Unlock()
	if err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
	if !crashed || len(u.d.opts.Engines.Auto) == 0 {
		return all
	}
	safe := u.d.opts.Engines.Auto[:1]
	u.log.Warn("the daemon has crashed in the audit of this model: its baseline runs on one engine alone", "engine", safe[0])
	return safe
}
