package mqtt

import "slices"

// message is one PUBLISH on its way, from its producer to its end.
type message struct {
	kind    Kind
	cam     string
	topic   string
	payload []byte
	qos     byte
	retain  bool
	seq     uint64 // result, mask, event: the camera's own number
	order   uint64 // the order in which messages were produced
	spooled uint64 // event: its number in the spool, 0 when it is not there
	tries   int    // links that broke while it was the first in flight
	perhaps bool   // event: it was in flight when a link broke, and waits to be sent again
	gaps    []Gap  // event: the gaps that it reports
}

// overhead is what a waiting message costs beyond its bytes: the struct, two
// allocations and a slot in the queue.
const overhead = 256

func (m *message) size() int64 { return int64(len(m.payload)+len(m.topic)) + overhead }

// queue is a FIFO bounded in bytes. The zero value holds nothing.
type queue struct {
	bound int64
	bytes int64
	items []*message
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) peek() *message {
	if q.len() == 0 {
		return nil
	}
	return q.items[q.head]
}

func (q *queue) pop() *message {
	m := q.peek()
	if m == nil {
		return nil
	}
	q.items[q.head] = nil
	q.head++
	q.bytes -= m.size()
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 64 && q.head*2 > len(q.items) {
		q.items = slices.Delete(q.items, 0, q.head)
		q.head = 0
	}
	return m
}

// push appends m and calls drop for each message, oldest first, that has to go
// for the bound. Once full the queue is emptied to three quarters, so that what
// is missing forms few long ranges instead of many short ones.
func (q *queue) push(m *message, drop func(*message)) {
	q.items = append(q.items, m)
	q.bytes += m.size()
	if q.bytes <= q.bound {
		return
	}
	for q.bytes > q.bound/4*3 && q.len() > 1 {
		drop(q.pop())
	}
}

// pushFront puts messages back, in their order, before all others.
func (q *queue) pushFront(ms ...*message) {
	q.items = slices.Insert(q.items[q.head:], 0, ms...)
	q.head = 0
	for _, m := range ms {
		q.bytes += m.size()
	}
}

// remove takes out what matches and calls gone for each.
func (q *queue) remove(match func(*message) bool, gone func(*message)) {
	rest := q.items[q.head:]
	kept := rest[:0]
	for _, m := range rest {
		if match(m) {
			q.bytes -= m.size()
			gone(m)
		} else {
			kept = append(kept, m)
		}
	}
	clear(rest[len(kept):])
	q.items = q.items[:q.head+len(kept)]
}

func (q *queue) has(topic string) bool {
	return slices.ContainsFunc(q.items[q.head:], func(m *message) bool { return m.topic == topic })
}
