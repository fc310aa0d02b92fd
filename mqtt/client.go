package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/maskpng"
)

// Client publishes for one node. Every method may be called from any goroutine
// and none waits for the network.
type Client struct {
	cfg     Config
	topics  Topics
	log     *slog.Logger
	said    saidOnce
	run     atomic.Pointer[string] // names this run in events
	info    atomic.Pointer[Info]   // as it was given
	runID   string                 // in info: drawn at random
	swallow atomic.Uint64
	flood   uint64       // of swallow, when the publisher last looked
	limit   atomic.Int64 // bytes of the largest payload that is sent at present

	handlers map[string]*handler
	stats    func() Stats
	spool    *spool

	mu       sync.Mutex
	order    uint64
	account  map[Kind]*Account
	queues   map[Kind]*queue // results, masks, events, responses, pictures
	states   states
	gaps     gapBook
	cameras  map[string]*camera
	link     LinkStats
	started  bool
	closed   bool // Close has begun
	finished bool // nothing is sent any more
	lastTry  error
	echoes   map[string]*echo
	paths    map[string]*path
	answers  int64     // bytes of answers sent that nothing else has matched yet
	ownStats [4]string // the last payloads of stats
	twin     twin
	deadline time.Time // set by Close: when draining must end

	mute    atomic.Bool  // the broker is not asked for the cameras' own topics
	hungUp  atomic.Int32 // how often in a row it has hung up on that
	beat    atomic.Int64 // counts the steps of the publisher
	resting atomic.Bool  // between two attempts to connect
	wake    chan struct{}
	ctx     context.Context // ends when Close's own context does
	cancel  context.CancelFunc
	closing chan struct{} // closed when Close begins
	done    chan struct{} // closed when the publisher has returned
	workers sync.WaitGroup
}

// camera is what the client keeps for each camera: its encoder is used by the
// one goroutine that publishes for it.
type camera struct {
	mu     sync.Mutex
	enc    maskEncoder
	told   bool          // that results do not fit
	events atomic.Uint64 // the last number given to an event
}

// New checks cfg and opens the spool. Nothing is sent before Start.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, topics: Topics{cfg.Prefix, cfg.Node}, log: cfg.log(),
		handlers: map[string]*handler{}, account: newLedger(), cameras: map[string]*camera{}, gaps: gapBook{}, echoes: map[string]*echo{}, paths: map[string]*path{},
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
		runID: strings.ToLower(rand.Text()[:16]),
		link:  LinkStats{Degraded: map[string]uint64{}, PayloadLimit: cfg.MaxPayload, Arrives: ArrivesUnknown},
	}
	c.limit.Store(int64(cfg.MaxPayload))
	c.setRun(time.Now())
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queues = map[Kind]*queue{
		KindResult: {bound: cfg.QueueBytes / 4}, KindMask: {bound: cfg.QueueBytes / 4 * 3},
		KindEvent: {bound: cfg.SpoolBytes}, KindResponse: {bound: int64(4 * cfg.MaxPayload)},
		KindPicture: {bound: int64(4 * cfg.MaxPayload)},
	}
	c.states.queue.bound = 1 << 40 // one message a topic: bounded by the number of cameras
	c.openSpool()
	c.setState(c.topics.OfNode("status"), Online)
	return c, nil
}

// Start begins to connect and to publish. Without a broker the client keeps
// trying; what it could not send waits within its bounds.
func (c *Client) Start() {
	c.mu.Lock()
	c.started = true
	c.mu.Unlock()
	for _, h := range c.handlers {
		c.workers.Add(1)
		go h.work(c)
	}
	go c.publish()
}

// HandleStats sets what fills in the daemon's part of stats. It is called from
// the publishing goroutine and must return soon. Call it before Start.
func (c *Client) HandleStats(f func() Stats) { c.stats = f }

func (c *Client) setRun(started time.Time) {
	run := started.UTC().Format(maskpng.TimeLayout)
	c.run.Store(&run)
}

// Info publishes the node's info, retained, now and on every new connection.
// Events from then on carry i.StartedAt as the name of their run.
func (c *Client) Info(i Info) error {
	c.setRun(i.StartedAt.Time)
	i.Schema, i.Run = Schema, c.runID
	i.Models, i.Cameras = orEmpty(i.Models), orEmpty(i.Cameras)
	if i.Classes == nil {
		i.Classes = map[string][]string{}
	}
	c.info.Store(&i)
	return c.restateInfo()
}

// CameraStatus publishes Online, Offline or Disabled for a camera, retained.
func (c *Client) CameraStatus(cam, status string) {
	c.setState(c.topics.OfCamera(cam, "status"), status)
}

// Enabled publishes enabled/state of a camera, retained.
func (c *Client) Enabled(cam string, on bool) {
	state := "OFF"
	if on {
		state = "ON"
	}
	c.setState(c.topics.OfCamera(cam, "enabled/state"), state)
}

// Zones publishes zones/state of a camera, retained.
func (c *Client) Zones(cam string, list []Zone) error {
	body, err := json.Marshal(orEmpty(list))
	if err != nil {
		return fmt.Errorf("mqtt: zones of camera %s: %w", cam, err)
	}
	c.setState(c.topics.OfCamera(cam, LeafZonesState), string(body))
	return nil
}

// Publish queues a result and its mask; a nil mask sends the result alone. It
// sets r.Schema and r.Mask and keeps no reference to r or m. A camera's results
// are published by one goroutine, numbered in r.Seq without holes from 1.
func (c *Client) Publish(cam string, r *Result, m *edged.Mask) error {
	k := c.camera(cam)
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Schema, r.Mask = Schema, nil
	r.Reasons, r.Classes = orEmpty(r.Reasons), orEmpty(r.Classes)
	var payload []byte
	if m != nil {
		var err error
		if payload, r.Mask, err = c.encode(&k.enc, m, r.Seq, r.TS.Time); err != nil {
			return err
		}
	}
	if r.Mask != nil {
		r.Mask.Topic = c.topics.OfCamera(cam, "mask")
	}
	body, err := c.fit(cam, k, r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if m != nil {
		c.produce(&message{kind: KindMask, cam: cam, topic: c.topics.OfCamera(cam, "mask"), payload: payload, seq: r.Seq})
	}
	c.produce(&message{kind: KindResult, cam: cam, topic: c.topics.OfCamera(cam, "result"), payload: body, qos: 1, seq: r.Seq})
	c.mu.Unlock()
	c.rouse()
	return nil
}

// orEmpty keeps a nil slice from becoming JSON's null.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Event queues an event of a camera. It is kept until the broker acknowledges
// it, on disk when there is a spool, and may arrive twice.
func (c *Client) Event(cam string, e Event) error {
	m, err := c.newEvent(cam, c.camera(cam), e)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.produce(m)
	c.mu.Unlock()
	c.rouse()
	return nil
}

// newEvent numbers e, hands it to the spool and makes its message.
func (c *Client) newEvent(cam string, k *camera, e Event) (*message, error) {
	if e.TS.IsZero() {
		e.TS = Time{time.Now()}
	}
	e.Schema, e.Run, e.Seq = Schema, *c.run.Load(), k.events.Add(1)
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("mqtt: event of camera %s: %w", cam, err)
	}
	m := &message{kind: KindEvent, cam: cam, topic: c.topics.OfCamera(cam, "event"), payload: body, qos: 1, seq: e.Seq}
	c.keep(m)
	return m, nil
}

func (c *Client) camera(cam string) *camera {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cameraLocked(cam)
}

// cameraLocked is camera for those who hold c.mu.
func (c *Client) cameraLocked(cam string) *camera {
	k := c.cameras[cam]
	if k == nil {
		k = &camera{}
		c.cameras[cam] = k
	}
	return k
}

// Ledger is the account of every message so far, taken at one instant.
func (c *Client) Ledger() Ledger {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger()
}

// Link tells about the connection to the broker, and the last error when there
// is none.
func (c *Client) Link() (LinkStats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linkStats(), c.lastTry
}

// Progress is for a watchdog: mark changes with each step of the publisher,
// which takes one at least every few seconds; idle is its pause before it
// connects again.
func (c *Client) Progress() (idle bool, mark int64) { return c.resting.Load(), c.beat.Load() }

// Close sends what is queued, publishes offline and leaves the broker, or gives
// up when ctx ends. Events that were not acknowledged stay in the spool.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return errors.New("mqtt: client closed twice")
	}
	c.closed = true
	c.deadline = time.Now().Add(time.Hour)
	if d, ok := ctx.Deadline(); ok {
		c.deadline = d
	}
	started := c.started
	c.mu.Unlock()
	close(c.closing)
	stop := context.AfterFunc(ctx, c.cancel)
	defer stop()
	if !started {
		c.finish()
	} else if !c.awaitPublisher(ctx) {
		return errors.New("mqtt: the connection does not let go: what was under way is unknown")
	}
	c.cancel()
	c.awaitHandlers(ctx)
	return c.closeSpool()
}

// letGo is how long after Close's own time the publisher may take to return.
const letGo = time.Second

// awaitPublisher tells whether the publisher has returned, soon after ctx ends at
// the latest: everything in it has a time-out, the library under it is not ours.
func (c *Client) awaitPublisher(ctx context.Context) bool {
	select {
	case <-c.done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-c.done:
		return true
	case <-time.After(letGo):
		return false
	}
}

// awaitHandlers waits for the commands that are being carried out; their own
// context has ended. One that does not care about it is left behind with ctx.
func (c *Client) awaitHandlers(ctx context.Context) {
	ended := make(chan struct{})
	go func() { c.workers.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// rouse wakes the publisher.
func (c *Client) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
