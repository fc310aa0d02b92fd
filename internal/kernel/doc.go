// Package kernel holds the loops that take the time: SIMD routines with
// portable twins that are always built and are their oracle.
package kernel
