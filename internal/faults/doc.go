// Package faults holds the fault run: the built daemon, a real mosquitto, and
// what a factory does to both. It has tests only; `make test-faults` runs each
// scenario three times, `make test` a selection once and with shorter faults.
//
// The faults of cameras and of the MQTT client by itself are tested where those
// live, in capture/opencv and mqtt.
package faults
