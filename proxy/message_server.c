/* proxy/message_server.c - messages that a server sends, errors and authentication aside. */
#include <string.h>

#include "message.h"

void
msg_write_ready(struct wire_writer *w, char status)
{
	wire_begin(w, 'Z');
	wire_put_u8(w, (uint8_t)status);
	wire_finish(w);
}

void
msg_write_key(struct wire_writer *w, uint32_t pid, const uint8_t *key, size_t n)
{
	wire_begin(w, 'K');
	wire_put_u32(w, pid);
	wire_put_bytes(w, key, n);
	wire_finish(w);
}

void
msg_write_parameter(struct wire_writer *w, const char *name, const char *value)
{
	wire_begin(w, 'S');
	wire_put_str(w, name);
	wire_put_str(w, value);
	wire_finish(w);
}

void
msg_write_negotiate(struct wire_writer *w, uint32_t newest, const char *const *unknown, size_t n)
{
	wire_begin(w, 'v');
	wire_put_u32(w, newest);
	wire_put_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_str(w, unknown[i]);
	wire_finish(w);
}

void
msg_write_complete(struct wire_writer *w, const char *tag)
{
	wire_begin(w, 'C');
	wire_put_str(w, tag);
	wire_finish(w);
}

void
msg_write_copy_done(struct wire_writer *w)
{
	wire_begin(w, 'c');
	wire_finish(w);
}

/* "SELECT 5", "INSERT 0 5", but not "BEGIN": the digits behind the last blank. */
int64_t
tag_rows(const char *tag)
{
	const char *digits = strrchr(tag, ' ');
	int64_t rows = 0;

	if (digits == NULL || *++digits == '\0')
		return -1;
	for (; *digits != '\0'; digits++) {
		if (*digits < '0' || *digits > '9' || rows > (INT64_MAX - 9) / 10)
			return -1;
		rows = rows * 10 + (*digits - '0');
	}
	return rows;
}
