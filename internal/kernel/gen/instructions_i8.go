package main

// Integer instructions; a 2 at the end of the name: of the upper half.
var (
	sdot4sx    = instruction{0x4F80E000, "sdot v%d.4s, v%d.16b, v%d.4b[%d]"}
	smull8h    = instruction{0x0E20C000, "smull v%d.8h, v%d.8b, v%d.8b"}
	smull8h2   = instruction{0x4E20C000, "smull2 v%d.8h, v%d.16b, v%d.16b"}
	smlal8h    = instruction{0x0E208000, "smlal v%d.8h, v%d.8b, v%d.8b"}
	smlal8h2   = instruction{0x4E208000, "smlal2 v%d.8h, v%d.16b, v%d.16b"}
	smlal4sx   = instruction{0x0F402000, "smlal v%d.4s, v%d.4h, v%d.h[%d]"}
	smlal4sx2  = instruction{0x4F402000, "smlal2 v%d.4s, v%d.8h, v%d.h[%d]"}
	mul4s      = instruction{0x4EA09C00, "mul v%d.4s, v%d.4s, v%d.4s"}
	sadalp4s   = instruction{0x4E606800, "sadalp v%d.4s, v%d.8h"}
	uaddlp8h   = instruction{0x6E202800, "uaddlp v%d.8h, v%d.16b"}
	uadalp4s   = instruction{0x6E606800, "uadalp v%d.4s, v%d.8h"}
	saddw4s    = instruction{0x0E601000, "saddw v%d.4s, v%d.4s, v%d.4h"}
	saddw4s2   = instruction{0x4E601000, "saddw2 v%d.4s, v%d.4s, v%d.8h"}
	saddw8h    = instruction{0x0E201000, "saddw v%d.8h, v%d.8h, v%d.8b"}
	saddw8h2   = instruction{0x4E201000, "saddw2 v%d.8h, v%d.8h, v%d.16b"}
	uaddw8h    = instruction{0x2E201000, "uaddw v%d.8h, v%d.8h, v%d.8b"}
	uaddw8h2   = instruction{0x6E201000, "uaddw2 v%d.8h, v%d.8h, v%d.16b"}
	sxtl8h     = instruction{0x0F08A400, "sxtl v%d.8h, v%d.8b"}
	sxtl8h2    = instruction{0x4F08A400, "sxtl2 v%d.8h, v%d.16b"}
	uxtl8h     = instruction{0x2F08A400, "uxtl v%d.8h, v%d.8b"}
	uxtl8h2    = instruction{0x6F08A400, "uxtl2 v%d.8h, v%d.16b"}
	uxtl4s     = instruction{0x2F10A400, "uxtl v%d.4s, v%d.4h"}
	uxtl4s2    = instruction{0x6F10A400, "uxtl2 v%d.4s, v%d.8h"}
	xtn4h      = instruction{0x0E612800, "xtn v%d.4h, v%d.4s"}
	xtn8b      = instruction{0x0E212800, "xtn v%d.8b, v%d.8h"}
	sshl4s     = instruction{0x4EA04400, "sshl v%d.4s, v%d.4s, v%d.4s"}
	srshl4s    = instruction{0x4EA05400, "srshl v%d.4s, v%d.4s, v%d.4s"}
	sqrdmulh4s = instruction{0x6EA0B400, "sqrdmulh v%d.4s, v%d.4s, v%d.4s"}
	sqxtn8b    = instruction{0x0E214800, "sqxtn v%d.8b, v%d.8h"}
	sqxtn8b2   = instruction{0x4E214800, "sqxtn2 v%d.16b, v%d.8h"}
	sqadd4s    = instruction{0x4EA00C00, "sqadd v%d.4s, v%d.4s, v%d.4s"}
	sshr31     = instruction{0x4F210400, "sshr v%d.4s, v%d.4s, #31"}
	ssra31     = instruction{0x4F211400, "ssra v%d.4s, v%d.4s, #31"}
	add4s      = instruction{0x4EA08400, "add v%d.4s, v%d.4s, v%d.4s"}
	neg4s      = instruction{0x6EA0B800, "neg v%d.4s, v%d.4s"}
	smax4s     = instruction{0x4EA06400, "smax v%d.4s, v%d.4s, v%d.4s"}
	smin4s     = instruction{0x4EA06C00, "smin v%d.4s, v%d.4s, v%d.4s"}
	smax16b    = instruction{0x4E206400, "smax v%d.16b, v%d.16b, v%d.16b"}
	smin16b    = instruction{0x4E206C00, "smin v%d.16b, v%d.16b, v%d.16b"}
	umax16b    = instruction{0x6E206400, "umax v%d.16b, v%d.16b, v%d.16b"}
)
