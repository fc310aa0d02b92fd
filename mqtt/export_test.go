package mqtt

// Probed is how many of the cameras' topics are known to arrive on this link.
func (c *Client) Probed() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.paths {
		if p.proven > 0 && !p.listens && !p.lost {
			n++
		}
	}
	return n
}
