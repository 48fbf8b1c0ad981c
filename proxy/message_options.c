/* proxy/message_options.c - `options` of the startup packet: a command line in a string. */
#include <string.h>

#include "message.h"

/* isspace() of the C locale; ours must not depend on where we run. */
static bool
blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct words {
	const char *p;  /* borrowed: what is left of the options */
	struct sb word; /* the last one taken */
};

/* The next word, as pg_split_opts() takes it off, for the caller to cut up;
 * NULL: there is none. A lone backslash makes an empty word, one at the very
 * end is dropped. */
static char *
next_word(struct words *w)
{
	bool escaped = false;

	sb_clear(&w->word);
	sb_str(&w->word, ""); /* an empty word has a text too */
	while (blank(*w->p))
		w->p++;
	if (*w->p == '\0')
		return NULL;
	for (; *w->p != '\0' && (escaped || !blank(*w->p)); w->p++) {
		escaped = !escaped && *w->p == '\\';
		if (!escaped)
			sb_char(&w->word, *w->p);
	}
	return w->word.bad ? NULL : w->word.text;
}

/* The next switch's name=value; NULL with why, or at the end of the words without. */
static char *
next_setting(struct words *w, bool *refused, struct err *why)
{
	char *word = next_word(w);

	*refused = false;
	if (word == NULL)
		return NULL;
	if (strncmp(word, "--", 2) == 0 && word[2] != '\0')
		return word + 2;
	if (strncmp(word, "-c", 2) == 0 && word[2] != '\0')
		return word + 2;
	if (strcmp(word, "-c") == 0 && (word = next_word(w)) != NULL)
		return word;
	*refused = true;
	if (word == NULL)
		(void)err_set(why, "options: expected name=value behind -c");
	else
		(void)err_set(why, "options: only -c name=value and --name=value are accepted, found \"%.63s\"", word);
	return NULL;
}

/* name=value, as ParseLongOption() reads it: the first "=" ends the name. */
static bool
split_setting(char *setting, char **value, struct err *why)
{
	char *eq = strchr(setting, '=');

	if (eq == NULL || eq == setting)
		return err_set(why, "options: expected name=value, found \"%.63s\"", setting);
	*eq = '\0';
	*value = eq + 1;
	for (char *c = setting; *c != '\0'; c++) {
		if (*c == '-')
			*c = '_';
	}
	return true;
}

bool
options_read(const char *options, bool (*f)(void *, const char *, const char *), void *arg, struct err *why)
{
	struct words w = { .p = options };
	char *setting, *value = NULL;
	bool refused;

	while ((setting = next_setting(&w, &refused, why)) != NULL) {
		if (!split_setting(setting, &value, why) || !f(arg, setting, value)) {
			refused = true;
			break;
		}
	}
	if (w.word.bad)
		refused = !err_set(why, "options: out of memory");
	sb_free(&w.word);
	return !refused;
}

static bool
plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("_.,=-/:+", c));
}

/* Everything that is not known to be harmless gets a backslash: what counts as
 * a blank beyond ASCII depends on the server's locale. */
static void
append_escaped(struct sb *sb, const char *s)
{
	for (; *s != '\0'; s++) {
		if (!plain(*s))
			sb_char(sb, '\\');
		sb_char(sb, *s);
	}
}

void
options_append(struct sb *sb, const char *name, const char *value)
{
	if (*name == '\0' || strchr(name, '=') != NULL) { /* would come back as another setting */
		sb->bad = true;
		return;
	}
	sb_str(sb, sb->len > 0 ? " -c " : "-c ");
	append_escaped(sb, name);
	sb_char(sb, '=');
	append_escaped(sb, value);
}
