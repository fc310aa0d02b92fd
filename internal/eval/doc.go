// Package eval scores nets against masks that are known to be true: how well a
// patch classifier segments frames when it is applied in each of the ways that
// Wu, Xie and Luo (arXiv 1605.07251) compare, and what each way costs.
package eval
