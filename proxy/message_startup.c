/* proxy/message_startup.c - what is said before the login. */
#include <string.h>
#include <strings.h>

#include "message.h"

#define CANCEL_KEY_MIN 4
#define CANCEL_KEY_MAX 256 /* protocol 3.2 */

/* PostgreSQL takes names of settings in any case, so "DateStyle" and
 * "datestyle" are the same name twice. */
static bool
known(const struct startup *s, const char *name)
{
	for (size_t i = 0; i < s->nparams; i++) {
		if (strcasecmp(s->params[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
read_params(struct wire_reader *r, struct startup *s, struct err *why)
{
	const char *name;

	for (;;) {
		name = wire_str(r);
		if (r->bad)
			return err_set(why, "startup packet: no NUL byte at the end");
		if (*name == '\0')
			break;
		if (s->nparams == STARTUP_PARAMS_MAX)
			return err_set(why, "startup packet: more than %d parameters", STARTUP_PARAMS_MAX);
		if (known(s, name))
			return err_set(why, "startup packet: parameter \"%.63s\" is there twice", name);
		s->params[s->nparams].name = name;
		s->params[s->nparams].value = wire_str(r);
		if (r->bad)
			return err_set(why, "startup packet: parameter \"%.63s\" has no value", name);
		s->nparams++;
	}
	if (!wire_end(r))
		return err_set(why, "startup packet: %zu bytes behind its end", r->left);
	return true;
}

static bool
read_cancel(struct wire_reader *r, struct startup *s, struct err *why)
{
	s->pid = wire_u32(r);
	s->key_len = r->left;
	s->key = wire_bytes(r, r->left);
	if (!wire_end(r) || s->key_len < CANCEL_KEY_MIN || s->key_len > CANCEL_KEY_MAX) {
		return err_set(
		    why, "cancel request: expected a key of %d to %d bytes, found %zu", CANCEL_KEY_MIN, CANCEL_KEY_MAX, s->key_len);
	}
	return true;
}

static bool
read_version(struct wire_reader *r, struct startup *s, struct err *why)
{
	switch (s->version) {
	case CODE_SSL:
	case CODE_GSSENC:
		if (!wire_end(r))
			return err_set(why, "encryption request: %zu bytes behind its code", r->left);
		return true;
	case CODE_CANCEL:
		return read_cancel(r, s, why);
	default: /* how other versions lay their parameters out is not ours to guess: the caller refuses them */
		return s->version >> 16 != 3 || read_params(r, s, why);
	}
}

bool
startup_read(const uint8_t *body, size_t n, struct startup *out, struct err *why)
{
	struct wire_reader r;
	struct startup s = { 0 };

	wire_reader_init(&r, body, n);
	if (n > STARTUP_MAX)
		return err_set(why, "startup packet: %zu bytes long, expected at most %d", n, STARTUP_MAX);
	s.version = wire_u32(&r);
	if (r.bad)
		return err_set(why, "startup packet: %zu bytes long, expected at least 4", n);
	if (!read_version(&r, &s, why))
		return false;
	*out = s;
	return true;
}

const char *
startup_get(const struct startup *s, const char *name)
{
	for (size_t i = 0; i < s->nparams; i++) {
		if (strcmp(s->params[i].name, name) == 0)
			return s->params[i].value;
	}
	return NULL;
}

void
startup_write(struct wire_writer *w, uint32_t version, const struct startup_param *params, size_t n)
{
	wire_begin(w, 0);
	wire_put_u32(w, version);
	for (size_t i = 0; i < n; i++) {
		if (params[i].name[0] == '\0') /* would end the packet before its time */
			w->bad = true;
		wire_put_str(w, params[i].name);
		wire_put_str(w, params[i].value);
	}
	wire_put_u8(w, 0);
	wire_finish(w);
}

void
cancel_write(struct wire_writer *w, uint32_t pid, const uint8_t *key, size_t n)
{
	wire_begin(w, 0);
	wire_put_u32(w, CODE_CANCEL);
	wire_put_u32(w, pid);
	wire_put_bytes(w, key, n);
	wire_finish(w);
}
