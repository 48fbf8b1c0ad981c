/* tests/fuzz/fuzz_wire.c - the readers of proxy/message.h.
 *
 * The first byte picks a reader, the rest is the body that it gets. What is
 * accepted is written back and must read the same; strings that are handed out
 * must lie inside the body.
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
insist(bool ok)
{
	if (!ok)
		abort();
}

/* Is it "", or a string that starts and ends within the body? */
static void
insist_inside(const char *s, const uint8_t *body, size_t n)
{
	const char *first = (const char *)body;

	insist(*s == '\0' || (s >= first && s + strlen(s) < first + n));
}

/* The writer holds one message with just this body. */
static void
insist_body(struct wire_writer *w, char type, const uint8_t *body, size_t n)
{
	struct wire_frame f;

	insist(!w->bad && wire_frame(w->p, w->len, &f));
	insist(f.type == type && f.body == n && w->len == n + WIRE_HEADER);
	insist(n == 0 || memcmp(w->p + WIRE_HEADER, body, n) == 0);
	wire_writer_free(w);
}

static void
query(const uint8_t *body, size_t n)
{
	struct wire_writer w = { 0 };
	struct msg_query m;

	if (!msg_read_query(body, n, &m))
		return;
	insist(m.len == strlen(m.text));
	msg_write_query(&w, m.text, m.len);
	insist_body(&w, 'Q', body, n);
}

static void
parse(const uint8_t *body, size_t n)
{
	struct wire_writer w = { 0 };
	struct msg_parse m;

	if (!msg_read_parse(body, n, &m))
		return;
	insist(m.len == strlen(m.text));
	msg_write_parse(&w, m.name, m.text, m.len, m.ntypes, m.types);
	insist_body(&w, 'P', body, n);
}

static void
bind(const uint8_t *body, size_t n)
{
	struct msg_bind m;

	if (!msg_read_bind(body, n, &m))
		return;
	insist_inside(m.portal, body, n);
	insist_inside(m.statement, body, n);
	insist(n >= strlen(m.portal) + strlen(m.statement) + 8 + m.nparams * (size_t)4);
}

static void
describe(const uint8_t *body, size_t n)
{
	struct msg_describe m;

	if (!msg_read_describe(body, n, &m))
		return;
	insist(m.kind == 'S' || m.kind == 'P');
	insist(strlen(m.name) + 2 == n);
	insist_inside(m.name, body, n);
}

static void
execute(const uint8_t *body, size_t n)
{
	struct wire_writer w = { 0 };
	struct msg_execute m;

	if (!msg_read_execute(body, n, &m))
		return;
	msg_write_execute(&w, m.portal, m.max_rows);
	insist_body(&w, 'E', body, n);
}

static void
insist_same(const struct msg_error *a, const struct msg_error *b)
{
	insist(strcmp(a->severity, b->severity) == 0 && strcmp(a->sqlstate, b->sqlstate) == 0);
	insist(strcmp(a->message, b->message) == 0 && strcmp(a->detail, b->detail) == 0 && strcmp(a->hint, b->hint) == 0);
	insist(a->position == b->position);
}

static void
error(const uint8_t *body, size_t n)
{
	struct wire_writer w = { 0 };
	struct msg_error m, again;
	bool whole = msg_read_error(body, n, &m);

	insist_inside(m.message, body, n);
	insist_inside(m.hint, body, n);
	insist(m.position >= 0);
	msg_write_error(&w, 'E', &m);
	insist(msg_read_error(w.p + WIRE_HEADER, w.len - WIRE_HEADER, &again));
	insist_same(&m, &again);
	wire_writer_clear(&w);
	insist(msg_copy_error(&w, 'N', body, n, 7) == whole);
	insist(whole || w.len == 0);
	if (whole) {
		insist(msg_read_error(w.p + WIRE_HEADER, w.len - WIRE_HEADER, &again));
		m.position = again.position;
		insist(again.position == 7 || again.position == 0);
		insist_same(&m, &again);
	}
	wire_writer_free(&w);
}

static void
sasl(const uint8_t *body, size_t n)
{
	struct wire_writer once = { 0 }, twice = { 0 };
	bool plus;
	size_t left, left_again;
	uint32_t code;

	if (msg_copy_sasl(&once, body, n, &plus, &left)) {
		insist(msg_read_auth(body, n, &code) && code == AUTH_SASL);
		insist((left == 0) == (once.len == 0));
	}
	if (once.len > 0) {
		insist(msg_copy_sasl(&twice, once.p + WIRE_HEADER, once.len - WIRE_HEADER, &plus, &left_again));
		insist(!plus && left == left_again);
		insist_body(&twice, 'R', once.p + WIRE_HEADER, once.len - WIRE_HEADER);
	}
	wire_writer_free(&once);
}

static void
auth(const uint8_t *body, size_t n)
{
	const char *mechanism;
	uint32_t code;
	char gs2;

	if (msg_read_auth(body, n, &code))
		insist(n >= 4);
	if (msg_read_sasl_initial(body, n, &mechanism, &gs2)) {
		insist_inside(mechanism, body, n);
		insist(gs2 == 0 || gs2 == 'n' || gs2 == 'y' || gs2 == 'p');
	}
}

static void
frame(const uint8_t *body, size_t n)
{
	struct wire_frame f;

	insist(wire_frame(body, n, &f) == (n >= WIRE_HEADER));
}

static void
tag(const uint8_t *body, size_t n)
{
	struct sb text = { 0 };

	sb_bytes(&text, body, n);
	insist(tag_rows(sb_text(&text)) >= -1);
	sb_free(&text);
}

static void (*const readers[])(const uint8_t *, size_t) = {
	query,
	parse,
	bind,
	describe,
	execute,
	error,
	sasl,
	auth,
	frame,
	tag,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 0)
		readers[data[0] % nitems(readers)](data + 1, n - 1);
	return 0;
}
