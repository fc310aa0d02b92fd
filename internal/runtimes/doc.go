// Package runtimes holds what edged writes against a runtime that is not linked:
// LiteRT.js, years newer than the TensorFlow Lite of the npm package and with an
// XNNPACK of its own, in Node. It has tests alone; make test-runtimes fetches what
// they need and runs them.
package runtimes
