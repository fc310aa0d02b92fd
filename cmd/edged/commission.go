package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"edged/internal/commission"
	"edged/internal/config"
	"edged/internal/page"
)

// mostGuests bounds the connections to the page on which a camera is set up.
const mostGuests = 32

// runCommission serves the page on which a camera is set up, until it is told to
// stop.
func runCommission(ctx context.Context, path, address string, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, flush := newLogger(stderr)
	defer flush()
	slog.SetDefault(log)
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("commission: %w", err)
	}
	desk, token, err := commission.New(commission.Config{
		Path: path, Program: program, Engines: configEngines, Open: openEngine, Log: log,
		Choose: func(ctx context.Context, model []byte, engine string) (string, error) {
			choice, err := engines.Try(ctx, model, engine, 0, "")
			return choice.Engine, err
		},
	})
	if err != nil {
		return err
	}
	defer desk.Close()
	if address == "" {
		address = config.DefaultHTTP
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("commission: %w: choose another address with --http", err)
	}
	return serveCommission(ctx, listener, desk, token, stderr)
}

// serveCommission tells the address with its token, which is told nowhere else.
func serveCommission(ctx context.Context, listener net.Listener, desk *commission.Desk, token string, stderr io.Writer) error {
	at := listener.Addr().String()
	guard := page.Guard{Beyond: page.Beyond(at)}
	mux := http.NewServeMux()
	desk.Register(mux)
	server := &http.Server{
		Handler: guard.Wrap(mux), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second,
		ReadTimeout: 10 * time.Minute, WriteTimeout: 10 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	fmt.Fprintf(stderr, "edged: set up a camera at\n  http://%s/commission/#token=%s\nCtrl-C ends it. Whoever has this address can change the config and add models beside it.\n", at, token)
	if guard.Beyond {
		fmt.Fprintln(stderr, "edged: it is reached from other machines, and the token travels there in the clear: prefer ssh -L 8077:127.0.0.1:8077")
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(page.Limit(listener, mostGuests, new(atomic.Uint64))) }()
	select {
	case err := <-ended:
		if !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("commission: %w", err)
		}
	case <-ctx.Done():
	}
	return server.Close()
}
