package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"edged/internal/config"
	"edged/internal/metrics"
	"edged/internal/page"
	"edged/internal/pipeline"
)

// stuckAfter is how long one step of a camera's loop may take before the
// daemon counts as unwell.
const stuckAfter = 10 * time.Second

// maxViewers bounds the connections to page and metrics; a browser opens up to
// six.
const maxViewers = 256

// Address is where the page is served, empty where it is not.
func (d *Daemon) Address() string { return d.address }

// startWeb serves the page, the metrics and the health checks on node.http. An address that cannot be had is no reason to
// leave cameras alone: it is said, and the daemon goes on without the page.
func (d *Daemon) startWeb() (stop func()) {
	if d.cfg.Node.HTTP == "" {
		return func() {}
	}
	listener, err := net.Listen("tcp", d.cfg.Node.HTTP)
	if err != nil {
		d.log.Error("no page and no metrics: the address cannot be used; choose another node.http", "err", err.Error())
		return func() {}
	}
	password, err := d.cfg.HTTPPassword()
	if err != nil {
		_ = listener.Close()
		d.log.Error("no page and no metrics: the password cannot be read", "err", err.Error())
		return func() {}
	}
	d.address = listener.Addr().String()
	guard := page.Guard{Beyond: page.Beyond(d.address), Hosts: d.cfg.Node.HTTPHosts, User: d.cfg.Node.HTTPUser, Password: password}
	if guard.Beyond {
		d.log.Warn("page and metrics can be seen from other machines", "address", d.address, "cure", `node.http = "`+config.DefaultHTTP+`", and an SSH tunnel or a proxy with TLS and a password`)
	}
	mux := http.NewServeMux()
	d.page.State = d.pageState
	d.page.Register(mux)
	mux.HandleFunc("PUT /zones/{camera}", d.putZones(guard))
	if d.kept != nil {
		d.kept.Register(mux)
	}
	metrics.Register(mux, d.snapshot, d.alive, d.ready)
	server := &http.Server{
		Handler: guard.Wrap(mux), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	listener = page.Limit(listener, maxViewers, &d.turnedAway)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("page stopped", "err", err.Error())
		}
	}()
	d.log.Info("page and metrics", "address", "http://"+d.address+"/")
	return func() {
		// Viewers hold long requests open; they are not worth waiting for.
		_ = server.Close()
		d.page.Close()
		if !within(leastTime, func() { <-done }) {
			d.log.Warn("the end does not wait for the page")
		}
	}
}

// snapshot is what /metrics shows.
func (d *Daemon) snapshot() metrics.Snapshot {
	s := metrics.Snapshot{Started: d.started, Version: d.opts.Version}
	heat, _ := d.heat.look()
	s.Celsius, s.HeldDown = heat.Celsius, heat.Causes
	for _, u := range d.units {
		f := u.account()
		s.Cameras = append(s.Cameras, metrics.Camera{
			Name: u.cfg.Name, Online: u.isOnline(), NG: u.ngs.Load(), Read: f.Read, Published: f.Published,
			PassedOver: f.PassedOver, Refused: f.Refused, Failed: f.Failed, InWork: f.InWork,
			Missed: f.MissedTriggers, Restarts: f.source.Restarts, InferSeconds: u.timing.median().Seconds(),
			RefusedBy: f.RefusedBy, Noticed: u.noticed(f.source), Audit: u.auditMetrics(), Shadow: u.shadowMetrics(),
			Rows: lineMetrics(f.Line),
		})
	}
	s.Evidence = d.evidenceMetrics()
	if d.client == nil {
		return s
	}
	link, _ := d.client.Link()
	s.Connected = link.Connected
	for kind, a := range d.client.Ledger() {
		m := metrics.Messages{
			Kind: string(kind), Produced: a.Produced, Acknowledged: a.Acknowledged, HandedOver: a.HandedOver,
			Unknown: a.Unknown, InFlight: a.InFlight, Dropped: map[string]uint64{},
		}
		for reason, n := range a.Dropped {
			m.Dropped[string(reason)] = n
		}
		s.Messages = append(s.Messages, m)
	}
	return s
}

// alive tells whether every camera's loop moves. A loop that waits for frames
// is well: the camera's absence is another matter.
func (d *Daemon) alive() metrics.Health {
	h := metrics.Health{OK: true, Checks: map[string]string{}}
	for _, u := range d.units {
		text := "ok"
		if phase, since, _ := u.camera.Progress(); phase != pipeline.Waiting && time.Since(since) > stuckAfter {
			h.OK = false
			text = fmt.Sprintf("%s since %v", phase, time.Since(since).Round(time.Second))
		}
		h.Checks["camera "+u.cfg.Name] = text
	}
	return h
}

// ready tells whether the daemon does its work: the models are loaded (it does
// not answer before) and the loops move. Cameras and broker are listed; their
// absence does not make the daemon unready, because it waits for them.
func (d *Daemon) ready() metrics.Health {
	h := d.alive()
	for _, u := range d.units {
		h.Checks["source "+u.cfg.Name] = u.statusWord()
	}
	if d.client != nil {
		h.Checks["broker"] = d.brokerWord()
	}
	return h
}
