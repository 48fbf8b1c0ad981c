/* policy/lexcost.c - runs of operator characters. */
#include "lexcost.h"

#include <string.h>

/* Characters that the lexer would read, about 30 ns each. */
#define LEXCOST_MAX ((uint64_t)2 << 20)

static bool
is_operator_char(char c)
{
	static const bool table[256] = {
		['~'] = true,
		['!'] = true,
		['@'] = true,
		['#'] = true,
		['^'] = true,
		['&'] = true,
		['|'] = true,
		['`'] = true,
		['?'] = true,
		['+'] = true,
		['-'] = true,
		['*'] = true,
		['/'] = true,
		['%'] = true,
		['<'] = true,
		['>'] = true,
		['='] = true,
	};

	return table[(uint8_t)c];
}

/* Does the lexer give back what follows this character? A dash alone is not
 * counted: two of them begin a comment, which is read once. */
static bool
starts_over(const char *p)
{
	return p[0] == '+' || p[0] == '?' || (p[0] == '-' && p[1] != '-') || (p[0] == '/' && p[1] == '*');
}

/* text[len] is readable: a NUL ends it. */
bool
lexcost_fine(const char *text, size_t len)
{
	uint64_t cost = 0;

	for (size_t i = 0; i < len;) {
		size_t run = 0, starts = 0;

		while (i < len && !is_operator_char(text[i]))
			i++;
		for (; i + run < len && is_operator_char(text[i + run]); run++)
			starts += starts_over(text + i + run);
		cost += (uint64_t)run * starts;
		if (cost > LEXCOST_MAX)
			return false;
		i += run + 1;
	}
	return true;
}
