package mqtt

import "maps"

type spool struct{}

func (c *Client) openSpool() error    { return nil }
func (c *Client) closeSpool() error   { return nil }
func (c *Client) keep(m *message)     {}
func (c *Client) release(m *message)  {}
func (c *Client) spoolErrors() uint64 { return 0 }

func cloneCounts(m map[string]uint64) map[string]uint64 { return maps.Clone(m) }
