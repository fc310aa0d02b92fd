package mqtt

// Overlay queues a camera's picture under its mask, a JPEG for people, retained. It
// takes the place of one that still waits.
func (c *Client) Overlay(cam string, jpeg []byte) {
	c.picture(&message{kind: KindPicture, cam: cam, topic: c.topics.OfCamera(cam, LeafOverlay), payload: jpeg, retain: c.cfg.Retain})
}

// NoOverlay takes a camera's retained overlay away: an old picture would stand for
// the camera for ever.
func (c *Client) NoOverlay(cam string) {
	c.picture(&message{kind: KindPicture, cam: cam, topic: c.topics.OfCamera(cam, LeafOverlay), retain: true})
}

// Snapshot queues a camera's bare picture, a JPEG whose comment says which result
// it belongs to. The mask of that result is queued before it. It returns the topic.
func (c *Client) Snapshot(cam string, jpeg []byte) string {
	m := &message{kind: KindPicture, cam: cam, topic: c.topics.OfCamera(cam, LeafSnapshot), payload: jpeg}
	c.picture(m)
	return m.topic
}

// picture queues m.
func (c *Client) picture(m *message) {
	c.mu.Lock()
	if m.topic == c.topics.OfCamera(m.cam, LeafOverlay) {
		c.queues[KindPicture].remove(func(o *message) bool { return o.topic == m.topic }, func(o *message) { c.drop(o, ReasonSuperseded) })
	}
	c.produce(m)
	c.mu.Unlock()
	c.rouse()
}
