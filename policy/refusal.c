/* policy/refusal.c - a refusal is an SQLSTATE and a sentence. */
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

static const char *
sqlstate_of(enum rule rule)
{
	switch (rule) {
	case RULE_PARSE_ERROR:
		return "42601"; /* syntax_error */
	case RULE_TOO_LONG:
		return "54000"; /* program_limit_exceeded */
	case RULE_TOO_DEEP:
		return "54001"; /* statement_too_complex */
	case RULE_ENCODING:
		return "22021"; /* character_not_in_repertoire */
	default:
		return "42501"; /* insufficient_privilege */
	}
}

/* The parser quotes a token of any length. What was cut must still be UTF-8:
 * it goes to the client as it is. */
static void
cut(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !utf8_valid(text, len))
		len--;
	text[len] = '\0';
}

bool
refuse(struct refusal *r, enum rule rule, int location, const char *fmt, ...)
{
	struct err text = { "" };
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text.text))
		cut(text.text);
	free(r->message);
	*r = (struct refusal){ .rule = rule, .sqlstate = sqlstate_of(rule), .message = xstrdup(text.text), .location = location };
	return false;
}

void
refusal_release(struct refusal *r)
{
	free(r->message);
	*r = (struct refusal){ 0 };
}
