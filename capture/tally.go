package capture

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
