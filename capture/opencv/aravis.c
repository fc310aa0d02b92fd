//go:build opencv && cgo

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aravis.h"

typedef struct { unsigned domain; int code; char *message; } gerror;

#define CALLS \
	CALL(void *, arv_camera_new, (const char *, gerror **)) \
	CALL(void *, arv_camera_get_device, (void *)) \
	CALL(int, arv_camera_is_gv_device, (void *)) \
	CALL(int, arv_gv_device_is_controller, (void *)) \
	CALL(void, arv_camera_set_pixel_format_from_string, (void *, const char *, gerror **)) \
	CALL(int, arv_device_set_features_from_string, (void *, const char *, gerror **)) \
	CALL(void, arv_camera_gv_set_packet_size, (void *, int, gerror **)) \
	CALL(unsigned, arv_camera_gv_auto_packet_size, (void *, gerror **)) \
	CALL(void, arv_camera_get_region, (void *, int *, int *, int *, int *, gerror **)) \
	CALL(unsigned, arv_camera_get_payload, (void *, gerror **)) \
	CALL(void *, arv_camera_create_stream, (void *, void *, void *, gerror **)) \
	CALL(void, arv_camera_start_acquisition, (void *, gerror **)) \
	CALL(void, arv_camera_stop_acquisition, (void *, gerror **)) \
	CALL(void, arv_camera_software_trigger, (void *, gerror **)) \
	CALL(void *, arv_buffer_new, (size_t, void *)) \
	CALL(int, arv_buffer_get_status, (void *)) \
	CALL(const void *, arv_buffer_get_image_data, (void *, size_t *)) \
	CALL(void, arv_buffer_get_image_region, (void *, int *, int *, int *, int *)) \
	CALL(unsigned, arv_buffer_get_image_pixel_format, (void *)) \
	CALL(uint64_t, arv_buffer_get_frame_id, (void *)) \
	CALL(void, arv_stream_push_buffer, (void *, void *)) \
	CALL(void *, arv_stream_try_pop_buffer, (void *)) \
	CALL(void *, arv_stream_timeout_pop_buffer, (void *, uint64_t)) \
	CALL(void, g_object_unref, (void *)) \
	CALL(void, g_error_free, (gerror *))

#define CALL(result, name, args) static result (*name) args;
CALLS
#undef CALL

// failed takes err's text.
static char *failed(gerror *err) {
	if (!err) return NULL;
	char *why = strdup(err->message);
	g_error_free(err);
	return why;
}

char *aravis_load(void) {
	static void *lib;
	if (lib) return NULL;
	if (!(lib = dlopen("libaravis-0.8.so.0", RTLD_NOW | RTLD_LOCAL))) return strdup(dlerror());
#define CALL(result, name, args) \
	if (!(name = (result (*) args)dlsym(lib, #name))) { lib = NULL; return strdup(#name); }
	CALLS
#undef CALL
	return NULL;
}

char *aravis_open(aravis *a, const char *name) {
	gerror *err = NULL;
	memset(a, 0, sizeof *a);
	a->camera = arv_camera_new(name, &err);
	if (a->camera) a->device = arv_camera_get_device(a->camera);
	return failed(err);
}

int aravis_controls(aravis *a) {
	return !arv_camera_is_gv_device(a->camera) || arv_gv_device_is_controller(a->device);
}

char *aravis_set(aravis *a, const char *pixels, const char *features, int packet) {
	gerror *err = NULL;
	arv_camera_stop_acquisition(a->camera, &err); // a program that died may have left it running
	if (!err && *pixels) arv_camera_set_pixel_format_from_string(a->camera, pixels, &err);
	if (!err && *features) arv_device_set_features_from_string(a->device, features, &err);
	if (!err && arv_camera_is_gv_device(a->camera)) {
		if (packet) arv_camera_gv_set_packet_size(a->camera, packet, &err);
		else arv_camera_gv_auto_packet_size(a->camera, &err);
	}
	return failed(err);
}

char *aravis_size(aravis *a, int *w, int *h) {
	gerror *err = NULL;
	int x, y;
	arv_camera_get_region(a->camera, &x, &y, w, h, &err);
	return failed(err);
}

char *aravis_start(aravis *a, int buffers) {
	gerror *err = NULL;
	unsigned payload = arv_camera_get_payload(a->camera, &err);
	if (!err) a->stream = arv_camera_create_stream(a->camera, NULL, NULL, &err);
	if (!err && !a->stream) return strdup("it opens no stream");
	while (!err && buffers-- > 0) arv_stream_push_buffer(a->stream, arv_buffer_new(payload, NULL));
	if (!err) arv_camera_start_acquisition(a->camera, &err);
	return failed(err);
}

char *aravis_trigger(aravis *a) {
	gerror *err = NULL;
	arv_camera_software_trigger(a->camera, &err);
	return failed(err);
}

int aravis_next(aravis *a, aravis_picture *p, uint64_t us) {
	if (!(a->buffer = arv_stream_timeout_pop_buffer(a->stream, us))) return 0;
	p->number = arv_buffer_get_frame_id(a->buffer);
	if (arv_buffer_get_status(a->buffer) != 0) return 2;
	int x, y;
	size_t size = 0;
	p->data = arv_buffer_get_image_data(a->buffer, &size);
	p->size = size;
	p->format = arv_buffer_get_image_pixel_format(a->buffer);
	arv_buffer_get_image_region(a->buffer, &x, &y, &p->w, &p->h);
	return 1;
}

void aravis_give(aravis *a) {
	if (a->buffer) arv_stream_push_buffer(a->stream, a->buffer);
	a->buffer = NULL;
}

void aravis_drain(aravis *a) {
	for (aravis_give(a); (a->buffer = arv_stream_try_pop_buffer(a->stream)); aravis_give(a));
}

void aravis_close(aravis *a) {
	gerror *err = NULL;
	if (a->stream) {
		aravis_give(a);
		arv_camera_stop_acquisition(a->camera, &err);
		free(failed(err)); // a camera that is gone does not answer
		g_object_unref(a->stream);
	}
	if (a->camera) g_object_unref(a->camera);
	memset(a, 0, sizeof *a);
}
