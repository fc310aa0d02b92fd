package capture

// InOrder tells whether each frame of s is the next of a row that waits for its
// reader: one that is only looked at is missing later. Other sources go on by
// themselves.
func InOrder(s Source) bool {
	_, files := s.(*folder)
	return files
}
