// Package mqtt publishes masks, results and events to an MQTT 3.1.1 broker and
// takes commands from it, over github.com/eclipse/paho.mqtt.golang. No type of
// that library crosses the API.
//
// One goroutine publishes. Producers hand their messages over and never wait
// for the network: Publish, Event and the rest put them into byte-bounded
// queues that drop the oldest, and every message is counted from there to its
// end, so that for each kind
//
//	produced = acknowledged + handed_over + dropped + unknown + in_flight
//
// holds in every Ledger that the Client hands out. A QoS 1 message is
// acknowledged by its PUBACK. A QoS 0 message is handed over once the broker
// has acknowledged something sent after it, because then the broker has read
// it; until then it is in flight. What was in flight when a link broke is
// unknown, except events and retained states, which are sent again.
//
// Results and masks are numbered from 1 in each run of the daemon. Before a
// message is sent that would reveal a gap in the numbers, an event of kind
// "gap" names the range and the reason: whoever reads events and results can
// account for every number.
//
// A payload over the limit is never sent. A mask is degraded in this order, and
// each step is counted: zstd instead of PNG; every second position of the grid,
// as often as needed; the result alone. A result leaves out blobs, classes without
// a position, reasons but the first, the classes with the fewest positions, and
// says so in left_out.
package mqtt
