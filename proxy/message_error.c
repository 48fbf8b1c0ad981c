/* proxy/message_error.c - ErrorResponse and NoticeResponse. */
#include <limits.h>
#include <string.h>

#include "message.h"

/* A decimal number from 1 to INT_MAX; anything else is no position. */
static int
position_of(const char *s)
{
	int v = 0;

	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > (INT_MAX - 9) / 10)
			return 0;
		v = v * 10 + (*s - '0');
	}
	return v;
}

static void
note_field(struct msg_error *m, const char **s, char code, const char *value)
{
	switch (code) {
	case 'S':
		*s = value;
		break;
	case 'V':
		m->severity = value;
		break;
	case 'C':
		m->sqlstate = value;
		break;
	case 'M':
		m->message = value;
		break;
	case 'D':
		m->detail = value;
		break;
	case 'H':
		m->hint = value;
		break;
	case 'P':
		m->position = position_of(value);
		break;
	default: /* the manual: ignore what you do not know */
		break;
	}
}

bool
msg_read_error(const uint8_t *body, size_t n, struct msg_error *m)
{
	struct wire_reader r;
	const char *s = "", *value;
	char code;

	*m = (struct msg_error){ .severity = "", .sqlstate = "", .message = "", .detail = "", .hint = "" };
	wire_reader_init(&r, body, n);
	while ((code = (char)wire_u8(&r)) != '\0') {
		value = wire_str(&r);
		if (!r.bad)
			note_field(m, &s, code, value);
	}
	if (*m->severity == '\0') /* servers before 9.6 send no V */
		m->severity = s;
	return wire_end(&r);
}

static void
put_field(struct wire_writer *w, char code, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	wire_put_u8(w, (uint8_t)code);
	wire_put_str(w, value);
}

static void
put_position(struct wire_writer *w, int position)
{
	char text[16];

	if (position <= 0)
		return;
	(void)snprintf(text, sizeof(text), "%d", position);
	put_field(w, 'P', text);
}

void
msg_write_error(struct wire_writer *w, char type, const struct msg_error *m)
{
	wire_begin(w, type);
	put_field(w, 'S', m->severity);
	put_field(w, 'V', m->severity);
	put_field(w, 'C', m->sqlstate);
	put_field(w, 'M', m->message);
	put_field(w, 'D', m->detail);
	put_field(w, 'H', m->hint);
	put_position(w, m->position);
	wire_put_u8(w, 0);
	wire_finish(w);
}

bool
msg_copy_error(struct wire_writer *w, char type, const uint8_t *body, size_t n, int position)
{
	return msg_copy_error_without(w, type, body, n, position, "");
}

bool
msg_copy_error_without(struct wire_writer *w, char type, const uint8_t *body, size_t n, int position, const char *codes)
{
	struct wire_reader r;
	struct msg_error all;
	const char *value;
	char code;

	if (!msg_read_error(body, n, &all))
		return false;
	wire_reader_init(&r, body, n);
	wire_begin(w, type);
	while ((code = (char)wire_u8(&r)) != '\0') {
		value = wire_str(&r);
		if (code == 'P') {
			put_position(w, position);
		} else if (strchr(codes, code) == NULL) { /* an empty field stays: it was the server's choice */
			wire_put_u8(w, (uint8_t)code);
			wire_put_str(w, value);
		}
	}
	wire_put_u8(w, 0);
	wire_finish(w);
	return true;
}
