package capture

// Counts tells what became of every frame of a source since it was opened.
// Read == Delivered + PassedOver + Refused holds in every snapshot: a frame
// counts as read once its fate is known, before that it is Waiting.
type Counts struct {
	Read       uint64 `json:"read"`        // frames got out of the camera or file
	Delivered  uint64 `json:"delivered"`   // handed to the caller of Next
	PassedOver uint64 `json:"passed_over"` // good, but a newer one came before anybody asked
	Refused    uint64 `json:"refused"`     // not fit to be used; By says why
	Waiting    uint64 `json:"waiting"`     // read and good, nobody has asked for it yet

	By Refusals `json:"refused_by"`

	// Noticed along the way; these frames and events are in no sum.
	Black       uint64 `json:"black"`        // frames without a lit pixel, refused only when asked to
	Copied      uint64 `json:"copied"`       // frames that OpenCV would not decode straight into shared memory
	Missing     uint64 `json:"missing"`      // frames that a file promised and that could not be read
	SizeChanges uint64 `json:"size_changes"` // the picture's size changed while running
	Skipped     uint64 `json:"skipped"`      // files of a folder that are no pictures
	Opens       uint64 `json:"opens"`        // times the source was opened
	Failures    uint64 `json:"failures"`     // times it could not be opened, or ended though it is live
	Stuck       uint64 `json:"stuck"`        // workers killed for missing a deadline
	Crashes     uint64 `json:"crashes"`      // workers that died by themselves
	Restarts    uint64 `json:"restarts"`     // workers started in place of another
}

// Refusals says why frames were refused. Total equals Counts.Refused.
type Refusals struct {
	Stale   uint64 `json:"stale"`   // too old: first after a stall, or kept waiting too long
	Frozen  uint64 `json:"frozen"`  // the same picture, byte for byte, for too long
	Black   uint64 `json:"black"`   // no lit pixel, and the configuration refuses those
	Corrupt uint64 `json:"corrupt"` // truncated, undecodable, or decoded with errors
	Lost    uint64 `json:"lost"`    // read by a worker that died before it could hand it over
}

// Total is the number of frames refused for any reason.
func (r Refusals) Total() uint64 { return r.Stale + r.Frozen + r.Black + r.Corrupt + r.Lost }

// Balanced tells whether every frame that was read is accounted for.
func (c Counts) Balanced() bool {
	return c.Read == c.Delivered+c.PassedOver+c.Refused && c.Refused == c.By.Total()
}

// tally is Counts with the steps that keep it balanced.
type tally struct{ Counts }

// refuse counts frames that are not to be used; why is the field of By.
func (t *tally) refuse(why *uint64, n uint64) {
	t.Read += n
	t.Refused += n
	*why += n
}

// passOver counts frames that nobody asked for in time.
func (t *tally) passOver(n uint64) {
	t.Read += n
	t.PassedOver += n
}
