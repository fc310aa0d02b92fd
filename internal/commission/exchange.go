package commission

import "os"

// exchangeSlowly is exchange by way of a third name.
func exchangeSlowly(a, b string) error {
	third := b + ".moving"
	if err := os.Link(b, third); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		os.Remove(third)
		return err
	}
	return os.Rename(third, a)
}
