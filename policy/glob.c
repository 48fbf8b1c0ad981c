/* policy/glob.c - * and ? in names. */
#include <stddef.h>

#include "profile.h"

bool
glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	/* A later * makes an earlier one final, so going back to the last one is enough: no recursion, n * m at most. */
	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern != '\0' && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
