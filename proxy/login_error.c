#include <ctype.h>
#include <string.h>

#include "upstream_int.h"

/* "FATAL:  28P01: password authentication failed" - the code's place in a
 * line, as PQERRORS_VERBOSE writes it; NULL: none. Severities are translated. */
static const char *
find_code(const char *line, size_t len)
{
	const char *p = line;
	size_t i;

	while ((p = memmem(p, len - (size_t)(p - line), ":  ", 3)) != NULL) {
		p += 3;
		for (i = 0; i < 5 && (size_t)(p - line) + i < len; i++)
			if (!isdigit((unsigned char)p[i]) && !(p[i] >= 'A' && p[i] <= 'Z'))
				break;
		if (i == 5 && (size_t)(p - line) + 7 <= len && p[5] == ':' && p[6] == ' ')
			return p;
	}
	return NULL;
}

/* With several tries (TLS, then plain) the last that the server answered counts. */
void
login_read_error(const char *text, char sqlstate[6], struct err *why)
{
	static const char failed[] = " failed: ";
	const char *line, *code, *p;
	size_t len;

	sqlstate[0] = '\0';
	why->text[0] = '\0';
	for (line = text; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if ((code = find_code(line, len)) != NULL) {
			memcpy(sqlstate, code, 5);
			sqlstate[5] = '\0';
			err_set(why, "%.*s", (int)(len - (size_t)(code + 7 - line)), code + 7);
		} else if (sqlstate[0] == '\0' && (p = memmem(line, len, failed, sizeof(failed) - 1)) != NULL) {
			p += sizeof(failed) - 1;
			err_set(why, "%.*s", (int)(len - (size_t)(p - line)), p);
		} else if (why->text[0] == '\0') {
			err_set(why, "%.*s", (int)len, line);
		}
	}
}
