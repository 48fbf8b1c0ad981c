/* proxy/message_client.c - messages that a client sends after its login. */
#include <string.h>

#include "message.h"

bool
msg_read_query(const uint8_t *body, size_t n, struct msg_query *m)
{
	struct wire_reader r;

	wire_reader_init(&r, body, n);
	m->text = wire_str(&r);
	m->len = n > 0 ? n - 1 : 0;
	return wire_end(&r);
}

bool
msg_read_parse(const uint8_t *body, size_t n, struct msg_parse *m)
{
	struct wire_reader r;
	size_t before;

	wire_reader_init(&r, body, n);
	m->name = wire_str(&r);
	before = r.left;
	m->text = wire_str(&r);
	m->len = r.bad ? 0 : before - r.left - 1;
	m->ntypes = wire_u16(&r);
	m->types = wire_bytes(&r, m->ntypes * (size_t)4);
	return wire_end(&r);
}

static bool
read_formats(struct wire_reader *r, uint16_t n)
{
	bool ok = true;

	for (uint16_t i = 0; i < n && !r->bad; i++)
		ok = wire_u16(r) <= 1 && ok;
	return ok && !r->bad;
}

static bool
read_values(struct wire_reader *r, uint16_t n)
{
	for (uint16_t i = 0; i < n && !r->bad; i++) {
		int32_t len = (int32_t)wire_u32(r);

		if (len < -1)
			return false;
		if (len > 0)
			(void)wire_bytes(r, (size_t)len);
	}
	return !r->bad;
}

bool
msg_read_bind(const uint8_t *body, size_t n, struct msg_bind *m)
{
	struct wire_reader r;
	uint16_t nformats;

	wire_reader_init(&r, body, n);
	m->portal = wire_str(&r);
	m->statement = wire_str(&r);
	nformats = wire_u16(&r);
	if (!read_formats(&r, nformats))
		return false;
	m->nparams = wire_u16(&r);
	if ((nformats > 1 && nformats != m->nparams) || !read_values(&r, m->nparams))
		return false;
	return read_formats(&r, wire_u16(&r)) && wire_end(&r);
}

bool
msg_bind_value(const uint8_t *body, size_t n, unsigned number, const uint8_t **value, int32_t *len)
{
	struct wire_reader r;
	uint16_t count;
	unsigned i;

	wire_reader_init(&r, body, n);
	wire_str(&r);
	wire_str(&r);
	count = wire_u16(&r);
	wire_bytes(&r, count * (size_t)2);
	count = wire_u16(&r);
	if (number == 0 || number > count)
		return false;
	for (i = 0; i < number; i++) {
		*len = (int32_t)wire_u32(&r);
		*value = *len > 0 ? wire_bytes(&r, (size_t)*len) : r.p;
	}
	return !r.bad;
}

bool
msg_read_describe(const uint8_t *body, size_t n, struct msg_describe *m)
{
	struct wire_reader r;

	wire_reader_init(&r, body, n);
	m->kind = (char)wire_u8(&r);
	m->name = wire_str(&r);
	return wire_end(&r) && (m->kind == 'S' || m->kind == 'P');
}

bool
msg_read_execute(const uint8_t *body, size_t n, struct msg_execute *m)
{
	struct wire_reader r;

	wire_reader_init(&r, body, n);
	m->portal = wire_str(&r);
	m->max_rows = (int32_t)wire_u32(&r);
	return wire_end(&r);
}

void
msg_write_query(struct wire_writer *w, const char *text, size_t n)
{
	wire_begin(w, 'Q');
	wire_put_bytes(w, text, n);
	wire_put_u8(w, 0);
	wire_finish(w);
}

void
msg_write_parse(struct wire_writer *w, const char *name, const char *text, size_t n, uint16_t ntypes, const uint8_t *types)
{
	wire_begin(w, 'P');
	wire_put_str(w, name);
	wire_put_bytes(w, text, n);
	wire_put_u8(w, 0);
	wire_put_u16(w, ntypes);
	wire_put_bytes(w, types, ntypes * (size_t)4);
	wire_finish(w);
}

void
msg_write_execute(struct wire_writer *w, const char *portal, int32_t max_rows)
{
	wire_begin(w, 'E');
	wire_put_str(w, portal);
	wire_put_u32(w, (uint32_t)max_rows);
	wire_finish(w);
}

void
msg_write_close(struct wire_writer *w, char kind, const char *name)
{
	wire_begin(w, 'C');
	wire_put_u8(w, (uint8_t)kind);
	wire_put_str(w, name);
	wire_finish(w);
}

void
msg_copy_bind(struct wire_writer *w, const char *portal, const char *statement, const uint8_t *body, size_t n)
{
	struct wire_reader r;
	const uint8_t *from;

	wire_reader_init(&r, body, n);
	wire_str(&r);
	wire_str(&r);
	from = r.p;
	(void)read_formats(&r, wire_u16(&r));
	(void)read_values(&r, wire_u16(&r));
	wire_begin(w, 'B');
	wire_put_str(w, portal);
	wire_put_str(w, statement);
	wire_put_bytes(w, from, (size_t)(r.p - from));
	wire_put_u16(w, 0);
	wire_finish(w);
}

void
msg_write_sync(struct wire_writer *w)
{
	wire_begin(w, 'S');
	wire_finish(w);
}

void
msg_write_flush(struct wire_writer *w)
{
	wire_begin(w, 'H');
	wire_finish(w);
}

void
msg_write_terminate(struct wire_writer *w)
{
	wire_begin(w, 'X');
	wire_finish(w);
}

void
msg_write_password(struct wire_writer *w, const char *password)
{
	wire_begin(w, 'p');
	wire_put_str(w, password);
	wire_finish(w);
}
