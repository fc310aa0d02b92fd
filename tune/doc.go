// Package tune learns the weights of a dense net from labelled frames. PyTorch
// does the learning, in a script that ships inside; the graph is carried over
// operator by operator, and the script's outputs are held against the engine's
// before the first step and after the last. What comes back is the same graph with
// other weights, so that edged rewrite --inverse gives the tuned baseline.
package tune
