package capture

// InOrder tells whether each frame of s is the next of a row that waits for its
// reader: one that is only looked at is missing later. Other sources go on by
// themselves.
func InOrder(s Source) bool {
	switch s.(type) {
	case *folder, *late: // the latter may turn out to be one
		return true
	case *Strips: // each row counts, whichever the source
		return true
	}
	return false
}
