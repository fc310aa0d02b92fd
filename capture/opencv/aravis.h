// What edged needs of libaravis, which is loaded when a GigE camera is opened: the
// Debian package libaravis-0.8-0 has the library, and no headers are needed.

#include <stdint.h>

typedef struct {
	void *camera, *device, *stream;
	void *buffer; // lent by aravis_next until aravis_give
} aravis;

typedef struct {
	const void *data;
	uint64_t size, number;
	int w, h;
	unsigned format; // GenICam's code
} aravis_picture;

// Texts are why something failed, for free(), NULL where it did not.
char *aravis_load(void);
char *aravis_open(aravis *a, const char *name);
char *aravis_set(aravis *a, const char *pixels, const char *features, int packet);
char *aravis_size(aravis *a, int *w, int *h);
char *aravis_start(aravis *a, int buffers);
char *aravis_trigger(aravis *a);

int aravis_controls(aravis *a); // 0: another program does, or it answers no more
int aravis_next(aravis *a, aravis_picture *p, uint64_t us); // 0: none came in time, 1: whole, 2: not whole
void aravis_give(aravis *a);
void aravis_drain(aravis *a); // gives back what has come and nobody has asked for
void aravis_close(aravis *a);
