/* policy/fields.c - one table is the parser of a configuration object. */
#include <stdlib.h>
#include <string.h>

#include "fields.h"

static void
put_path(struct sb *sb, const struct path *path)
{
	if (path->up != NULL)
		put_path(sb, path->up);
	if (path->key == NULL)
		sb_fmt(sb, "[%zu]", path->index);
	else if (*path->key != '\0')
		sb_fmt(sb, "%s%s", sb->len > 0 ? "." : "", path->key);
}

static void printf_like(4, 0) report(struct fields *f, struct jsonc_place at, const struct path *path, const char *fmt, va_list ap)
{
	char reason[1024];
	struct sb line = { 0 };

	if (vsnprintf(reason, sizeof(reason), fmt, ap) < 0)
		reason[0] = '\0';
	put_path(&line, path);
	sb_str(&line, line.len > 0 ? ": " : "");
	sb_str(&line, reason);
	jsonc_error(f->errors, f->file, at, sb_text(&line));
	sb_free(&line);
	f->failed = true;
}

void
fields_error(struct fields *f, const cJSON *v, const struct path *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(f, jsonc_at(f->doc, v), path, fmt, ap);
	va_end(ap);
}

void
fields_key_error(struct fields *f, const cJSON *v, const struct path *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(f, jsonc_key(f->doc, v), path, fmt, ap);
	va_end(ap);
}

/* What a person sees in the file. */
static void
describe(struct sb *sb, const cJSON *v)
{
	if (cJSON_IsString(v))
		sb_json(sb, v->valuestring, strnlen(v->valuestring, 80));
	else if (cJSON_IsNumber(v))
		sb_fmt(sb, "%.15g", v->valuedouble);
	else if (cJSON_IsBool(v))
		sb_str(sb, cJSON_IsTrue(v) ? "true" : "false");
	else if (cJSON_IsNull(v))
		sb_str(sb, "null");
	else
		sb_str(sb, cJSON_IsArray(v) ? "a list" : "an object");
}

void
fields_expected(struct fields *f, const cJSON *v, const struct path *path, const char *what)
{
	struct sb found = { 0 };

	describe(&found, v);
	fields_error(f, v, path, "expected %s, found %s", what, sb_text(&found));
	sb_free(&found);
}

/* --- near misses --------------------------------------------------------- */

#define NEAREST_LENGTH 40

/* Edits (insert, delete, change, swap neighbours) from a to b, by rows of the usual table. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned rows[3][NEAREST_LENGTH + 1], *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t alen = strlen(a), blen = strlen(b);

	for (unsigned j = 0; j <= blen; j++)
		last[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[blen];
}

const char *
nearest(const char *name, const char *(*next)(const void *, size_t), const void *candidates)
{
	unsigned d, best = strlen(name) < 5 ? 2 : 3; /* not this far */
	const char *candidate, *found = NULL;

	if (strlen(name) > NEAREST_LENGTH || strlen(name) < 3)
		return NULL;
	for (size_t i = 0; (candidate = next(candidates, i)) != NULL; i++) {
		if (strlen(candidate) <= NEAREST_LENGTH && (d = distance(name, candidate)) < best) {
			best = d;
			found = candidate;
		}
	}
	return found;
}

static const char *
next_field(const void *fields, size_t i)
{
	return ((const struct field *)fields)[i].name;
}

static const char *
next_word(const void *words, size_t i)
{
	return ((const struct word *)words)[i].word;
}

/* --- values --------------------------------------------------------------- */

static void
read_int(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	double d = cJSON_IsNumber(v) ? v->valuedouble : -1;
	char what[80];

	if (cJSON_IsNumber(v) && d >= (double)field->min && d <= (double)field->max && d == (double)(int64_t)d) {
		*(int64_t *)((char *)base + field->offset) = (int64_t)d;
		return;
	}
	if (field->min == field->max)
		snprintf(what, sizeof(what), "%lld", (long long)field->min);
	else
		snprintf(what, sizeof(what), "a whole number from %lld to %lld", (long long)field->min, (long long)field->max);
	fields_expected(f, v, path, what);
}

static void
read_number(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	void *to = (char *)base + field->offset;
	char what[80];

	if (field->null_ok && cJSON_IsNull(v)) {
		*(double *)to = 0;
	} else if (cJSON_IsNumber(v) && v->valuedouble >= (double)field->min && v->valuedouble <= (double)field->max) {
		*(double *)to = v->valuedouble;
	} else {
		snprintf(what, sizeof(what), "%sa number from %lld to %lld", field->null_ok ? "null or " : "",
		    (long long)field->min, (long long)field->max);
		fields_expected(f, v, path, what);
	}
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit size_units[] = { { "B", 1 }, { "kB", 1 << 10 }, { "MB", 1 << 20 }, { "GB", 1 << 30 }, { NULL, 0 } };
static const struct unit time_units[] = { { "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { NULL, 0 } };

/* "256kB": digits, a unit, nothing else. */
static bool
parse_amount(const char *text, const struct unit *units, int64_t *amount)
{
	size_t digits = strspn(text, "0123456789");
	int64_t n;

	if (digits == 0 || digits > 15)
		return false;
	n = strtoll(text, NULL, 10);
	for (; units->name != NULL; units++)
		if (strcmp(text + digits, units->name) == 0)
			return !__builtin_mul_overflow(n, units->factor, amount);
	return false;
}

static void
read_amount(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	bool time = field->type == FIELD_TIME, good = false;
	int64_t amount = 0;
	char what[120];

	if (cJSON_IsString(v)) {
		good = parse_amount(v->valuestring, time ? time_units : size_units, &amount);
	} else if (cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= (double)field->max) {
		amount = (int64_t)v->valuedouble;
		good = (double)amount == v->valuedouble;
	}
	if (good && amount >= field->min && amount <= field->max) {
		*(int64_t *)((char *)base + field->offset) = amount;
		return;
	}
	snprintf(what, sizeof(what), "a %s, from %lld to %lld %s",
	    time ? "time such as \"500ms\", \"5s\", \"2min\" or \"1h\"" : "size such as \"256kB\" or \"16MB\"",
	    (long long)field->min, (long long)field->max, time ? "milliseconds" : "bytes");
	fields_expected(f, v, path, what);
}

static void
expected_word(struct fields *f, const cJSON *v, const struct path *path, const struct word *words)
{
	const char *near = cJSON_IsString(v) ? nearest(v->valuestring, next_word, words) : NULL;
	struct sb list = { 0 }, found = { 0 };

	for (const struct word *w = words; w->word != NULL; w++)
		sb_fmt(&list, "%s\"%s\"", w == words ? "" : w[1].word == NULL ? " or " : ", ", w->word);
	describe(&found, v);
	fields_error(f, v, path, "expected %s, found %s%s%s%s", sb_text(&list), sb_text(&found),
	    near != NULL ? ", did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
	sb_free(&list);
	sb_free(&found);
}

static bool
find_word(struct fields *f, const cJSON *v, const struct path *path, const struct word *words, int *value)
{
	for (const struct word *w = words; cJSON_IsString(v) && w->word != NULL; w++) {
		if (strcmp(w->word, v->valuestring) != 0)
			continue;
		if (w->value == WORD_LATER) {
			fields_error(f, v, path, "\"%s\" is not supported yet", w->word);
			return false;
		}
		*value = w->value;
		return true;
	}
	expected_word(f, v, path, words);
	return false;
}

static void
read_words(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	struct path at = { path, NULL, 0 };
	uint32_t bits = 0;
	const cJSON *item;
	int value;

	if (!cJSON_IsArray(v)) {
		fields_expected(f, v, path, "a list");
		return;
	}
	cJSON_ArrayForEach(item, v)
	{
		if (find_word(f, item, &at, field->words, &value))
			bits |= 1u << value;
		at.index++;
	}
	*(uint32_t *)((char *)base + field->offset) = bits;
}

static void
read_string(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	char **string = (char **)((char *)base + field->offset);

	if (!cJSON_IsString(v) || v->valuestring[0] == '\0') {
		fields_expected(f, v, path, "a string");
		return;
	}
	free(*string);
	*string = xstrdup(v->valuestring);
}

/* An entry that is allowed and denied is a mistake, and nobody knows which half of it. */
static void
check_lists(struct fields *f, const cJSON *v, const struct path *path)
{
	const cJSON *allow = cJSON_GetObjectItemCaseSensitive(v, "allow"), *deny = cJSON_GetObjectItemCaseSensitive(v, "deny"), *a,
		    *d;
	struct path list = { path, "deny", 0 }, at = { &list, NULL, 0 };
	struct sb entry = { 0 };

	cJSON_ArrayForEach(d, deny)
	{
		cJSON_ArrayForEach(a, allow)
		{
			if (!cJSON_Compare(a, d, true))
				continue;
			describe(&entry, d);
			fields_error(f, d, &at, "%s is in allow, too", sb_text(&entry));
			sb_clear(&entry);
			break;
		}
		at.index++;
	}
	sb_free(&entry);
}

static void
read_value(struct fields *f, const cJSON *v, const struct path *path, const struct field *field, void *base)
{
	void *to = (char *)base + field->offset;
	int value;

	switch (field->type) {
	case FIELD_INT:
		read_int(f, v, path, field, base);
		break;
	case FIELD_NUMBER:
		read_number(f, v, path, field, base);
		break;
	case FIELD_SIZE:
	case FIELD_TIME:
		read_amount(f, v, path, field, base);
		break;
	case FIELD_BOOL:
		if (cJSON_IsBool(v))
			*(bool *)to = cJSON_IsTrue(v);
		else
			fields_expected(f, v, path, "true or false");
		break;
	case FIELD_WORD:
		if (find_word(f, v, path, field->words, &value))
			*(int *)to = value;
		break;
	case FIELD_SWITCH:
		if (find_word(f, v, path, field->words, &value))
			*(bool *)to = value != 0;
		break;
	case FIELD_WORDS:
		read_words(f, v, path, field, base);
		break;
	case FIELD_STRING:
		read_string(f, v, path, field, base);
		break;
	case FIELD_OBJECT:
		fields_read(f, v, path, field->fields, base);
		break;
	case FIELD_LISTS:
		fields_read(f, v, path, field->fields, base);
		check_lists(f, v, path);
		break;
	case FIELD_CUSTOM:
		field->read(f, v, path, base);
		break;
	}
}

void
fields_read(struct fields *f, const cJSON *object, const struct path *path, const struct field *table, void *base)
{
	const struct field *field;
	const cJSON *v;
	const char *near;

	if (!cJSON_IsObject(object)) {
		fields_expected(f, object, path, "an object");
		return;
	}
	cJSON_ArrayForEach(v, object)
	{
		struct path at = { path, v->string, 0 };

		for (field = table; field->name != NULL && strcmp(field->name, v->string) != 0; field++)
			;
		if (field->name != NULL)
			read_value(f, v, &at, field, base);
		else if ((near = nearest(v->string, next_field, table)) != NULL)
			fields_key_error(f, v, &at, "unknown key, did you mean \"%s\"?", near);
		else
			fields_key_error(f, v, &at, "unknown key");
	}
	for (field = table; field->name != NULL; field++)
		if (field->required && cJSON_GetObjectItemCaseSensitive(object, field->name) == NULL)
			fields_error(f, object, path, "the key \"%s\" is missing", field->name);
}
