/* proxy/wire.c - the only pointer arithmetic on bytes from the network. */
#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* More than any message that a session agrees to hold. */
#define WIRE_ROOM_MAX ((size_t)256 << 20)
#define WIRE_ROOM_FIRST ((size_t)256)

/* --- reading ------------------------------------------------------------ */

void
wire_reader_init(struct wire_reader *r, const void *p, size_t n)
{
	r->p = p != NULL ? p : (const uint8_t *)"";
	r->left = p != NULL ? n : 0;
	r->bad = false;
}

const uint8_t *
wire_bytes(struct wire_reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) { /* never p + n > end, which can wrap */
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static uint32_t
big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint8_t
wire_u8(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 1);

	return p != NULL ? p[0] : 0;
}

uint16_t
wire_u16(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 2);

	return p != NULL ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t
wire_u32(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 4);

	return p != NULL ? big_endian(p) : 0;
}

const char *
wire_str(struct wire_reader *r)
{
	const uint8_t *nul = memchr(r->p, '\0', r->left);
	const uint8_t *p = wire_bytes(r, nul != NULL ? (size_t)(nul - r->p) + 1 : SIZE_MAX);

	return p != NULL ? (const char *)p : "";
}

bool
wire_end(const struct wire_reader *r)
{
	return !r->bad && r->left == 0;
}

bool
wire_frame(const uint8_t *p, size_t n, struct wire_frame *f)
{
	uint32_t len;

	if (n < WIRE_HEADER)
		return false;
	len = big_endian(p + 1);
	f->type = (char)p[0];
	f->body = len < 4 ? SIZE_MAX : (size_t)len - 4;
	return true;
}

/* --- writing ------------------------------------------------------------ */

void
wire_writer_free(struct wire_writer *w)
{
	free(w->p);
	*w = (struct wire_writer){ 0 };
}

void
wire_writer_clear(struct wire_writer *w)
{
	w->len = 0;
	w->start = 0;
	w->open = false;
	w->bad = false;
}

/* A peer chooses how long some messages are, so memory may run out here: that
 * spoils the writer, not the process. */
static bool
make_room(struct wire_writer *w, size_t n)
{
	size_t room = w->room > 0 ? w->room : WIRE_ROOM_FIRST;
	uint8_t *p;

	if (w->bad || n > WIRE_ROOM_MAX - w->len) {
		w->bad = true;
		return false;
	}
	if (n <= w->room - w->len)
		return true;
	while (room - w->len < n) /* doubles to WIRE_ROOM_MAX at most */
		room *= 2;
	if ((p = realloc(w->p, room)) == NULL) {
		w->bad = true;
		return false;
	}
	w->p = p;
	w->room = room;
	return true;
}

void
wire_put_bytes(struct wire_writer *w, const void *p, size_t n)
{
	if (n == 0 || !make_room(w, n))
		return;
	memcpy(w->p + w->len, p, n);
	w->len += n;
}

void
wire_put_u8(struct wire_writer *w, uint8_t v)
{
	wire_put_bytes(w, &v, 1);
}

void
wire_put_u16(struct wire_writer *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wire_put_bytes(w, b, sizeof(b));
}

void
wire_put_u32(struct wire_writer *w, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	wire_put_bytes(w, b, sizeof(b));
}

void
wire_put_str(struct wire_writer *w, const char *s)
{
	wire_put_bytes(w, s, strlen(s) + 1);
}

void
wire_begin(struct wire_writer *w, char type)
{
	if (w->open)
		w->bad = true;
	if (type != 0)
		wire_put_u8(w, (uint8_t)type);
	w->start = w->len;
	w->open = true;
	wire_put_u32(w, 0);
}

void
wire_finish(struct wire_writer *w)
{
	size_t len = w->len - w->start;

	if (!w->open)
		w->bad = true;
	w->open = false;
	if (w->bad)
		return;
	w->p[w->start] = (uint8_t)(len >> 24); /* fits: WIRE_ROOM_MAX */
	w->p[w->start + 1] = (uint8_t)(len >> 16);
	w->p[w->start + 2] = (uint8_t)(len >> 8);
	w->p[w->start + 3] = (uint8_t)len;
}
