// Command nats is one node of a NATS cluster that speaks MQTT, for `make
// test-brokers`. It is a module of its own, so that the product's stays small.
package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("name", "", "the node's `name`")
	mqtt := flag.Int("mqtt", 0, "MQTT `port` on loopback")
	cluster := flag.Int("cluster", 0, "`port` for the other nodes")
	routes := flag.String("routes", "", "the other nodes' `ports`, with commas")
	dir := flag.String("dir", "", "`folder` for streams")
	flag.Parse()
	o := &server.Options{
		ServerName: *name, Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, JetStream: true, StoreDir: *dir,
		Cluster: server.ClusterOpts{Name: "line", Host: "127.0.0.1", Port: *cluster},
		MQTT:    server.MQTTOpts{Host: "127.0.0.1", Port: *mqtt},
	}
	for port := range strings.SplitSeq(*routes, ",") {
		u, err := url.Parse("nats://127.0.0.1:" + port)
		if err != nil {
			return err
		}
		o.Routes = append(o.Routes, u)
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return fmt.Errorf("%s does not start", *name)
	}
	for !s.JetStreamIsCurrent() {
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	s.Shutdown()
	return nil
}
