package mqtt

import "maps"

// Kind sorts messages: each kind has its own queue and its own account.
type Kind string

// The kinds of messages a node sends.
const (
	KindResult   Kind = "result"
	KindMask     Kind = "mask"
	KindEvent    Kind = "event"
	KindState    Kind = "state" // status, info and enabled/state: retained
	KindResponse Kind = "response"
	KindStats    Kind = "stats"
	KindPicture  Kind = "picture" // overlay and snapshot
)

var kinds = [...]Kind{KindResult, KindMask, KindEvent, KindState, KindResponse, KindStats, KindPicture}

// Reason says why a message did not reach the broker for certain.
type Reason string

// Why messages are dropped. ReasonUnknown alone is not a drop: the link was
// lost while the message was in flight.
const (
	ReasonQueueFull   Reason = "queue_full"   // the oldest made room for newer ones
	ReasonPayload     Reason = "payload"      // larger than max_payload
	ReasonBrokerLimit Reason = "broker_limit" // larger than the broker takes
	ReasonPoison      Reason = "poison"       // the link broke each time it was sent
	ReasonSuperseded  Reason = "superseded"   // a newer state took its place
	ReasonShutdown    Reason = "shutdown"     // the daemon stopped before it was sent
	ReasonUnknown     Reason = "unknown"
)

// Account is the balance of one kind.
type Account struct {
	Produced     uint64            `json:"produced"`
	Acknowledged uint64            `json:"acknowledged"`
	HandedOver   uint64            `json:"handed_over"`
	Dropped      map[Reason]uint64 `json:"dropped"`
	Unknown      uint64            `json:"unknown"`
	InFlight     uint64            `json:"in_flight"` // accepted and not settled yet
	Queued       uint64            `json:"queued"`    // those of InFlight that wait to be sent
}

// Balanced tells whether the account is exact: it always is.
func (a Account) Balanced() bool {
	settled := a.Acknowledged + a.HandedOver + a.Unknown
	for _, n := range a.Dropped {
		settled += n
	}
	return a.Produced == settled+a.InFlight && a.Queued <= a.InFlight
}

// Ledger accounts for every message since the start of the run, by kind. The
// snapshot that Client.Ledger gives is taken at one instant.
type Ledger map[Kind]Account

func newLedger() map[Kind]*Account {
	l := make(map[Kind]*Account, len(kinds))
	for _, k := range kinds {
		l[k] = &Account{Dropped: map[Reason]uint64{}}
	}
	return l
}

func snapshot(l map[Kind]*Account) Ledger {
	s := make(Ledger, len(l))
	for k, a := range l {
		c := *a
		c.Dropped = maps.Clone(a.Dropped)
		s[k] = c
	}
	return s
}
