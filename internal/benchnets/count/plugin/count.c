// Counts the AArch64 instructions that a program runs under qemu-user, by class,
// between two calls of prctl(MARK, 0) and prctl(MARK, 1), and prints them as
//
//	count total=N multiply=N load=N store=N other=N loaded=BYTES
//
// The emulator's own header is in no Debian package: what is used of it stands here
// (QEMU's plugin API, version 1, as of QEMU 7.2).
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
enum { INLINE_ADD_U64 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *ptr, uint64_t add);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned cpu, int64_t num,
	uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
void qemu_plugin_outs(const char *);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { PRCTL = 167, MARK = 0xed9ed };
enum class { TOTAL, MULTIPLY, LOAD, STORE, OTHER, LOADED, CLASSES };
static uint64_t count[CLASSES];

// multiplies tells whether an instruction multiplies: integers, scalars, vectors.
static bool multiplies(uint32_t w) {
	uint32_t three = w >> 11 & 31, wide = w >> 12 & 15, dot = w >> 11 & 15;
	if ((w & 0x1F000000) == 0x1B000000) return true; // MADD, SMULL and the like
	if ((w & 0x5F000000) == 0x1F000000) return true; // FMADD and the like
	if ((w & 0xFF207C00) == 0x1E200800) return true; // FMUL, FNMUL
	if ((w & 0x8F000400) == 0x0F000000) return true; // vector by element: each one multiplies
	if ((w & 0xDF000400) == 0x5F000000) return true; // scalar by element
	if ((w & 0x9F200400) == 0x0E200400)              // three alike: MLA, MUL, SQDMULH, FMLA, FMUL
		return three == 18 || three == 19 || three == 22 || three == 25 || three == 27;
	if ((w & 0x9F208400) == 0x0E008400) return dot <= 3; // SQRDMLAH, SDOT, UDOT, USDOT
	if ((w & 0x9F20F400) == 0x0E00A400) return true; // SMMLA, UMMLA
	if ((w & 0x9F200C00) == 0x0E200000) return wide >= 8 && wide != 15; // SMLAL, SMULL and the like
	return false;
}

// transfers tells what a load or store moves: bytes, negative for a store; 0 for a prefetch.
static int transfers(uint32_t w) {
	bool vector = w >> 26 & 1, load = w >> 22 & 1;
	int size = w >> 30, group = w >> 27 & 7;
	if (group == 1 && vector && !(w >> 31)) { // LD1 to LD4, LD1R
		int q = w >> 30 & 1, opcode = w >> 12 & 15, bytes;
		static const int registers[16] = {[0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2};
		if (w >> 24 & 1) // one lane, or all lanes of one element
			bytes = (opcode >> 1 == 6 || opcode >> 1 == 7 ? 1 << (w >> 10 & 3) : opcode < 4 ? 1 : opcode < 8 ? 2 : w >> 10 & 1 ? 8 : 4) * ((w >> 13 & 1 ? 3 : 1) + (w >> 21 & 1));
		else
			bytes = registers[opcode] * (q ? 16 : 8);
		return load ? bytes : -bytes;
	}
	if (group == 1) return load ? 1 << size : -(1 << size); // exclusive, ordered
	if (group == 3 && !(w >> 24 & 1)) // literal
		return size == 3 && !vector ? 0 : vector ? 4 << size : size == 1 ? 8 : 4;
	if (group == 5) { // pairs
		int bytes = vector ? 8 << size : size == 2 ? 16 : 8;
		return load ? bytes : -bytes;
	}
	if (group == 7) {
		int opc = w >> 22 & 3;
		if (vector) return (opc & 1 ? 1 : -1) * (opc >= 2 ? 16 : 1 << size);
		if (size == 3 && opc == 2) return 0; // PRFM
		return opc ? 1 << size : -(1 << size);
	}
	return 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
	uint64_t here[CLASSES] = {0};
	size_t n = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < n; i++) {
		uint32_t w;
		memcpy(&w, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
		enum class c = OTHER;
		if ((w >> 25 & 5) == 4) {
			int bytes = transfers(w);
			c = bytes > 0 ? LOAD : bytes < 0 ? STORE : OTHER;
			here[LOADED] += bytes > 0 ? bytes : 0;
		} else if (multiplies(w)) {
			c = MULTIPLY;
		}
		here[c]++;
	}
	here[TOTAL] = n;
	for (int c = 0; c < CLASSES; c++)
		if (here[c]) qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &count[c], here[c]);
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t num, uint64_t a, uint64_t b,
	uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
	char line[256];
	if (num != PRCTL || a != MARK) return;
	if (b == 0) {
		memset(count, 0, sizeof count);
		return;
	}
	snprintf(line, sizeof line, "count total=%" PRIu64 " multiply=%" PRIu64 " load=%" PRIu64 " store=%" PRIu64 " other=%" PRIu64 " loaded=%" PRIu64 "\n",
		count[TOTAL], count[MULTIPLY], count[LOAD], count[STORE], count[OTHER], count[LOADED]);
	qemu_plugin_outs(line);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_vcpu_syscall_cb(id, called);
	return 0;
}
