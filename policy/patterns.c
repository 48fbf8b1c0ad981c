/* policy/patterns.c - reads "public.payroll", "*.audit_*", "public.cents(numeric)", "extension:pg_trgm". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "patterns.h"

static bool
name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool
glob_byte(char c)
{
	return c == '*' || c == '?';
}

static bool
read_quoted(const char **text, struct sb *out, struct err *err)
{
	const char *s = *text + 1;

	for (; *s != '\0'; s++) {
		if (*s == '"' && *++s != '"') {
			*text = s;
			return true;
		}
		if (glob_byte(*s))
			return err_set(err, "* and ? cannot stand in double quotes");
		sb_char(out, *s);
	}
	return err_set(err, "a double quote is missing");
}

/* One part of a name; text moves behind it. */
static bool
read_part(const char **text, bool globs, char **part, struct err *err)
{
	struct sb out = { 0 };
	const char *s = *text;

	if (*s == '"') {
		if (!read_quoted(&s, &out, err))
			goto bad;
	} else {
		for (; name_byte(*s) || (globs && glob_byte(*s)); s++)
			sb_char(&out, (char)((unsigned char)*s < 0x80 ? tolower((unsigned char)*s) : *s));
	}
	if (out.len == 0 && *s != '\0' && *s != '.') {
		err_set(err, "'%c' cannot stand in a name without double quotes", *s);
		goto bad;
	}
	if (out.len == 0 || out.len > IDENTIFIER_MAX) {
		err_set(err, out.len == 0 ? "a name is missing" : "a name has 63 bytes at most");
		goto bad;
	}
	*text = s;
	*part = sb_take(&out);
	return true;
bad:
	sb_free(&out);
	return false;
}

static bool
at_end(const char *s, struct err *err)
{
	if (*s == '\0')
		return true;
	if (*s == '.')
		return err_set(err, "too many dots: expected a name or schema.name");
	return err_set(err, "'%c' cannot stand in a name without double quotes", *s);
}

static bool
read_one(const char *text, bool globs, char **name, struct err *err)
{
	char *part = NULL;

	if (!read_part(&text, globs, &part, err) || !at_end(text, err)) {
		free(part);
		return false;
	}
	*name = part;
	return true;
}

bool
pattern_schema(const char *text, char **glob, struct err *err)
{
	return read_one(text, true, glob, err);
}

bool
pattern_identifier(const char *text, char **name, struct err *err)
{
	return read_one(text, false, name, err);
}

/* [schema.]name; schema stays NULL when there is none. text moves behind. */
static bool
read_name(const char **text, char **schema, char **name, struct err *err)
{
	char *first = NULL, *second = NULL;

	if (!read_part(text, true, &first, err))
		return false;
	if (**text == '.') {
		(*text)++;
		if (!read_part(text, true, &second, err)) {
			free(first);
			return false;
		}
	}
	*schema = second != NULL ? first : NULL;
	*name = second != NULL ? second : first;
	return true;
}

bool
pattern_table(const char *text, struct table_pattern *t, struct err *err)
{
	char *schema = NULL, *name = NULL;

	if (!read_name(&text, &schema, &name, err) || !at_end(text, err)) {
		free(schema);
		free(name);
		return false;
	}
	*t = (struct table_pattern){ schema != NULL ? schema : xstrdup("*"), name, ACCESS_READ | ACCESS_WRITE };
	return true;
}

bool
pattern_column(const char *text, struct column_rule *c, struct err *err)
{
	char *parts[3] = { NULL, NULL, NULL };
	bool good = true;

	for (size_t i = 0; good && i < nitems(parts); i++) {
		good = read_part(&text, true, &parts[i], err);
		if (good && i < 2 && *text++ != '.')
			good = err_set(err, "expected schema.table.column");
	}
	if (good && *text != '\0')
		good = *text == '.' ? err_set(err, "too many dots: expected schema.table.column") : at_end(text, err);
	if (!good) {
		for (size_t i = 0; i < nitems(parts); i++)
			free(parts[i]);
		return false;
	}
	c->schema = parts[0];
	c->table = parts[1];
	c->column = parts[2];
	return true;
}

/* The argument types between the parentheses: how many? A variadic one takes any number. */
static bool
count_arguments(const char *types, size_t len, int *nargs, struct err *err)
{
	int depth = 0, n = 1;
	bool empty = true, variadic = false;

	for (size_t i = 0; i < len; i++) {
		if (depth == 0 && types[i] == ',') {
			if (empty)
				return err_set(err, "an argument type is missing");
			n++;
			empty = true;
			continue;
		}
		depth += (types[i] == '(') - (types[i] == ')');
		if (empty && len - i > 9 && strncasecmp(types + i, "variadic ", 9) == 0)
			variadic = true;
		if (types[i] != ' ')
			empty = false;
		if (depth < 0)
			return err_set(err, "parentheses do not match");
	}
	if (depth != 0)
		return err_set(err, "parentheses do not match");
	if (empty && n > 1)
		return err_set(err, "an argument type is missing");
	*nargs = variadic ? -1 : empty ? 0 : n;
	return true;
}

static bool
read_signature(const char *text, struct function_pattern *f, struct err *err)
{
	size_t len = strlen(text);

	f->nargs = -1;
	if (*text != '(')
		return at_end(text, err);
	if (text[len - 1] != ')')
		return err_set(err, "parentheses do not match");
	if (!count_arguments(text + 1, len - 2, &f->nargs, err))
		return false;
	f->signature = xstrndup(text + 1, len - 2);
	return true;
}

/* Extensions have names with dashes, and are of any sort: the catalog knows them. */
static bool
read_extension(const char *name, struct function_pattern *f, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > IDENTIFIER_MAX)
		return err_set(err, len == 0 ? "the name of an extension is missing" : "a name has 63 bytes at most");
	for (const char *s = name; *s != '\0'; s++)
		if (!name_byte(*s) && *s != '-')
			return err_set(err, "'%c' cannot stand in the name of an extension", *s);
	*f = (struct function_pattern){ .nargs = -1, .extension = xstrdup(name) };
	return true;
}

bool
pattern_function(const char *text, struct function_pattern *f, struct err *err)
{
	static const char extension[] = "extension:";
	struct function_pattern read = { .nargs = -1 };

	if (strncmp(text, extension, sizeof(extension) - 1) == 0)
		return read_extension(text + sizeof(extension) - 1, f, err);
	if (!read_name(&text, &read.schema, &read.name, err) || !read_signature(text, &read, err)) {
		function_pattern_release(&read);
		return false;
	}
	*f = read;
	return true;
}

void
table_pattern_release(struct table_pattern *t)
{
	free(t->schema);
	free(t->name);
}

void
function_pattern_release(struct function_pattern *f)
{
	free(f->schema);
	free(f->name);
	free(f->signature);
	free(f->extension);
}
