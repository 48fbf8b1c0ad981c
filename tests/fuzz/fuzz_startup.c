/* tests/fuzz/fuzz_startup.c - startup packets and `options`.
 *
 * The input is read as a packet and as options. What is accepted is written
 * back: a packet must give the same bytes, options the same settings.
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

static void
packet(const uint8_t *data, size_t n)
{
	struct wire_writer w = { 0 };
	struct startup s;
	struct err why = { "" };

	if (!startup_read(data, n, &s, &why)) {
		insist(why.text[0] != '\0');
		return;
	}
	if (s.version == CODE_CANCEL) {
		cancel_write(&w, s.pid, s.key, s.key_len);
	} else if (s.version >> 16 == 3) {
		insist(s.nparams <= STARTUP_PARAMS_MAX);
		startup_write(&w, s.version, s.params, s.nparams);
		for (size_t i = 0; i < s.nparams; i++)
			insist(startup_get(&s, s.params[i].name) == s.params[i].value);
	} else {
		insist(s.nparams == 0 && s.key == NULL);
		return;
	}
	insist(!w.bad && w.len == n + 4 && memcmp(w.p + 4, data, n) == 0);
	wire_writer_free(&w);
}

/* As text with lengths, so that no two lists of settings look alike. */
static bool
note(void *arg, const char *name, const char *value)
{
	insist(strchr(name, '=') == NULL && strchr(name, '-') == NULL && *name != '\0');
	sb_fmt(arg, "%zu:%s%zu:%s", strlen(name), name, strlen(value), value);
	return true;
}

static bool
append(void *arg, const char *name, const char *value)
{
	options_append(arg, name, value);
	return true;
}

static void
options(const uint8_t *data, size_t n)
{
	struct sb text = { 0 }, first = { 0 }, written = { 0 }, second = { 0 };
	struct err why = { "" };

	sb_bytes(&text, data, n);
	if (options_read(sb_text(&text), note, &first, &why)) {
		insist(options_read(sb_text(&text), append, &written, &why) && !written.bad);
		insist(options_read(sb_text(&written), note, &second, &why));
		insist(strcmp(sb_text(&first), sb_text(&second)) == 0);
	} else {
		insist(why.text[0] != '\0');
	}
	sb_free(&text);
	sb_free(&first);
	sb_free(&written);
	sb_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	packet(data, n);
	options(data, n);
	return 0;
}
