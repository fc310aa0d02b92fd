//go:build amd64 && !purego

#include "textflag.h"

// func sumRowsF32AVX2(acc *float64, src *float32, blocks, rows, stride int)
//
// The sums of 16 columns stand in Y0 to Y3 over all rows, then those of four in
// Y0; stride counts bytes.
TEXT ·sumRowsF32AVX2(SB), NOSPLIT, $0-40
	MOVQ acc+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), BX
	MOVQ rows+24(FP), R8
	MOVQ stride+32(FP), R9
	SUBQ $4, BX
	JLT  rest
wide:
	VMOVUPD (DI), Y0
	VMOVUPD 32(DI), Y1
	VMOVUPD 64(DI), Y2
	VMOVUPD 96(DI), Y3
	MOVQ SI, AX
	MOVQ R8, CX
widerow:
	VCVTPS2PD (AX), Y4
	VCVTPS2PD 16(AX), Y5
	VCVTPS2PD 32(AX), Y6
	VCVTPS2PD 48(AX), Y7
	VADDPD Y4, Y0, Y0
	VADDPD Y5, Y1, Y1
	VADDPD Y6, Y2, Y2
	VADDPD Y7, Y3, Y3
	ADDQ R9, AX
	DECQ CX
	JNZ  widerow
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	ADDQ $64, SI
	ADDQ $128, DI
	SUBQ $4, BX
	JGE  wide
rest:
	ADDQ $4, BX
	JZ   done
narrow:
	VMOVUPD (DI), Y0
	MOVQ SI, AX
	MOVQ R8, CX
narrowrow:
	VCVTPS2PD (AX), Y4
	VADDPD Y4, Y0, Y0
	ADDQ R9, AX
	DECQ CX
	JNZ  narrowrow
	VMOVUPD Y0, (DI)
	ADDQ $16, SI
	ADDQ $32, DI
	DECQ BX
	JNZ  narrow
done:
	VZEROUPPER
	RET
