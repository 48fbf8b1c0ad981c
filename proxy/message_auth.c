/* proxy/message_auth.c - the messages of a login. */
#include <string.h>

#include "message.h"

void
msg_write_auth(struct wire_writer *w, enum auth_code code)
{
	wire_begin(w, 'R');
	wire_put_u32(w, code);
	wire_finish(w);
}

static bool
plus_name(const char *name)
{
	size_t n = strlen(name);

	return n >= 5 && strcmp(name + n - 5, "-PLUS") == 0;
}

/* Mechanism names up to the empty one: how many there are, and how many bind to the channel. */
static void
count_mechanisms(struct wire_reader *r, size_t *all, size_t *plus)
{
	const char *name;

	*all = *plus = 0;
	while (*(name = wire_str(r)) != '\0') {
		++*all;
		if (plus_name(name))
			++*plus;
	}
}

bool
msg_read_auth(const uint8_t *body, size_t n, uint32_t *code)
{
	struct wire_reader r;
	size_t all, plus;

	wire_reader_init(&r, body, n);
	*code = wire_u32(&r);
	switch (*code) {
	case AUTH_OK:
	case AUTH_CLEARTEXT:
	case AUTH_GSS:
	case AUTH_SSPI:
		return wire_end(&r);
	case AUTH_MD5:
		(void)wire_bytes(&r, 4); /* the salt */
		return wire_end(&r);
	case AUTH_SASL:
		count_mechanisms(&r, &all, &plus);
		return wire_end(&r);
	default: /* what follows is between client and server, or the caller does not know the code */
		return !r.bad;
	}
}

bool
msg_copy_sasl(struct wire_writer *w, const uint8_t *body, size_t n, bool *plus, size_t *left)
{
	struct wire_reader r;
	size_t all, nplus;
	const char *name;

	wire_reader_init(&r, body, n);
	if (wire_u32(&r) != AUTH_SASL)
		return false;
	count_mechanisms(&r, &all, &nplus);
	if (!wire_end(&r))
		return false;
	*plus = nplus > 0;
	*left = all - nplus;
	if (*left == 0) /* nothing that a client could choose: the caller says so in words */
		return true;
	wire_reader_init(&r, body, n);
	wire_begin(w, 'R');
	wire_put_u32(w, wire_u32(&r));
	while (*(name = wire_str(&r)) != '\0') {
		if (!plus_name(name))
			wire_put_str(w, name);
	}
	wire_put_u8(w, 0);
	wire_finish(w);
	return true;
}

bool
msg_read_sasl_initial(const uint8_t *body, size_t n, const char **mechanism, char *gs2)
{
	struct wire_reader r;
	uint32_t len;
	const uint8_t *data;

	wire_reader_init(&r, body, n);
	*mechanism = wire_str(&r);
	*gs2 = 0;
	len = wire_u32(&r);
	if (len == UINT32_MAX) /* -1: no initial response */
		return wire_end(&r);
	data = wire_bytes(&r, len);
	if (!wire_end(&r))
		return false;
	if (len > 0 && (data[0] == 'n' || data[0] == 'y' || data[0] == 'p'))
		*gs2 = (char)data[0];
	return true;
}
