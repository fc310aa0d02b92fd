// Package packaging holds what ships beside the programs, in share/edged: a Grafana
// dashboard, Prometheus alerts and a Node-RED flow. Its tests tie them to what
// edged tells.
package packaging
