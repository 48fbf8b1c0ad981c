/* policy/catalog_rows.c - what the sections' columns are, and reading their values.
 *
 * Rows come from a server or a file that we did not write: a value is used
 * only after it was found to be what its column says.
 */
#include <string.h>

#include "catalog_int.h"

/* clang-format off */
#define OID(field)		  { .name = (field), .kind = V_OID }
#define NUMBER(field, low, high)  { .name = (field), .kind = V_NUMBER, .min = (low), .max = (high) }
#define FLAG(field)		  { .name = (field), .kind = V_FLAG }
#define LETTER(field, which)	  { .name = (field), .kind = V_LETTER, .letters = (which) }
#define NAME(field)		  { .name = (field), .kind = V_NAME }
#define MAYBE_NAME(field)	  { .name = (field), .kind = V_NAME, .maybe = true }
#define TEXT(field)		  { .name = (field), .kind = V_TEXT }
#define MAYBE_TEXT(field)	  { .name = (field), .kind = V_TEXT, .maybe = true }
#define OIDS(field)		  { .name = (field), .kind = V_OIDS }
#define MAYBE_OIDS(field)	  { .name = (field), .kind = V_OIDS, .maybe = true }
#define MAYBE_LETTERS(field, all) { .name = (field), .kind = V_LETTERS, .maybe = true, .letters = (all) }
#define MAYBE_NAMES(field)	  { .name = (field), .kind = V_NAMES, .maybe = true }
/* clang-format on */

/* In the order of catalog_sql.c's columns. */
static const struct {
	const char *name;
	struct field fields[FIELDS_MAX + 1];
} sections[NSECTIONS] = {
	[S_DATABASE] = { "database", { NUMBER("server_version", 130000, 999999), OID("oid"), NAME("name") } },
	[S_NAMESPACES] = { "namespaces", { OID("oid"), NAME("name") } },
	[S_RELATIONS] = { "relations",
	    { OID("oid"), OID("namespace"), NAME("name"), LETTER("kind", "rpvmfStciI"), FLAG("row_security"), FLAG("is_partition"),
		OID("type"), OID("of"), MAYBE_NAME("extension") } },
	[S_COLUMNS] = { "columns",
	    { OID("relation"), NUMBER("number", 1, INT16_MAX), NAME("name"), OID("type"), NUMBER("typmod", INT32_MIN, INT32_MAX),
		FLAG("not_null"), FLAG("has_default"), LETTER("generated", "-sv"), MAYBE_TEXT("expression") } },
	[S_INHERITANCE] = { "inheritance", { OID("child"), OID("parent") } },
	[S_VIEWS] = { "views", { OID("relation"), TEXT("definition") } },
	[S_DEPENDS] = { "depends", { OID("view"), OID("relation"), NUMBER("column", INT16_MIN, INT16_MAX) } },
	[S_POLICIES] = { "policies", { OID("relation"), OID("policy"), MAYBE_TEXT("using"), MAYBE_TEXT("check") } },
	[S_EXPRESSIONS] = { "expressions", { OID("relation"), OID("object"), TEXT("expression") } },
	[S_TYPES] = { "types",
	    { OID("oid"), OID("namespace"), NAME("name"), LETTER("kind", "bcdeprm"), LETTER("category", NULL), FLAG("preferred"),
		OID("element"), OID("array"), OID("base"), NUMBER("base_typmod", INT32_MIN, INT32_MAX), OID("relation"),
		OIDS("support"), MAYBE_NAME("extension") } },
	[S_CHECKS] = { "domain_checks", { OID("type"), OID("constraint"), TEXT("expression") } },
	[S_FUNCTIONS] = { "functions",
	    { OID("oid"), OID("namespace"), NAME("name"), LETTER("kind", "fpaw"), LETTER("volatility", "isv"), FLAG("returns_set"),
		FLAG("security_definer"), NAME("language"), OID("result"), OID("variadic"), NUMBER("ndefaults", 0, INT16_MAX),
		OIDS("arguments"), MAYBE_OIDS("all_arguments"), MAYBE_LETTERS("modes", "iobvt"), MAYBE_NAMES("names"),
		MAYBE_TEXT("defaults"), MAYBE_NAME("extension") } },
	[S_AGGREGATES] = { "aggregates", { OID("function"), LETTER("kind", "noh"), NUMBER("direct_arguments", 0, INT16_MAX),
					     OIDS("support"), OID("state"), OID("moving_state") } },
	[S_OPERATORS] = { "operators", { OID("oid"), OID("namespace"), NAME("name"), OID("left"), OID("right"), OID("result"),
					   OID("function"), MAYBE_NAME("extension") } },
	[S_CASTS] = { "casts",
	    { OID("source"), OID("target"), OID("function"), LETTER("context", "iae"), LETTER("method", "fbi") } },
	[S_OPCLASSES] = { "opclasses", { OID("oid"), OID("type"), FLAG("btree"), FLAG("is_default"), OIDS("functions") } },
};

size_t
catalog_sections(void)
{
	return NSECTIONS;
}

const char *
catalog_section_name(size_t section)
{
	return sections[section].name;
}

const struct field *
section_fields(size_t section)
{
	return sections[section].fields;
}

size_t
section_nfields(size_t section)
{
	size_t n = 0;

	while (sections[section].fields[n].kind != V_END)
		n++;
	return n;
}

/* --- values -------------------------------------------------------------------- */

/* A whole number as PostgreSQL prints it: no blanks, no plus, no leading zeros. */
static bool
read_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	const char *digits = s + (*s == '-');
	size_t n = strspn(digits, "0123456789");
	int64_t value = 0;

	if (n == 0 || n > 10 || digits[n] != '\0' || (digits[0] == '0' && (n > 1 || *s == '-')))
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (digits[i] - '0');
	if (*s == '-')
		value = -value;
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

static bool
read_oid(const char **at, uint32_t *oid)
{
	const char *s = *at;
	uint64_t value = 0;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 10 || (s[0] == '0' && n > 1))
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint64_t)(s[i] - '0');
	*oid = (uint32_t)value;
	*at = s + n;
	return value <= UINT32_MAX;
}

/* As oidvector prints: "23 25", "" for none. */
static bool
read_oids(struct catalog_builder *b, const char *s, struct value *v)
{
	size_t n = *s != '\0', i;
	const char *p;
	uint32_t *oids;

	for (p = s; *p != '\0'; p++)
		n += *p == ' ';
	if (n == 0)
		return true;
	oids = cat_take(&b->catalog->arena, n * sizeof(*oids));
	for (i = 0; i < n; i++) {
		if (!read_oid(&s, &oids[i]) || *s != (i + 1 < n ? ' ' : '\0'))
			return false;
		s += *s == ' ';
	}
	v->oids = oids;
	v->n = n;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash; answers how many bytes that were, 0 when it is no escape
 * of to_json()'s: that writes \u for control characters only. */
static size_t
read_escape(const char *s, struct sb *out)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *e = *s != '\0' ? strchr(escapes, *s) : NULL;
	int low;

	if (e != NULL) {
		sb_char(out, meant[e - escapes]);
		return 1;
	}
	if (strncmp(s, "u000", 4) != 0 && strncmp(s, "u001", 4) != 0)
		return 0;
	if ((low = hex_digit(s[4])) == -1 || (s[3] == '0' && low == 0))
		return 0;
	sb_char(out, (char)((s[3] - '0') << 4 | low));
	return 5;
}

/* One string of a list of names. Answers what is behind it; NULL when it is none. */
static const char *
read_quoted(const char *s, struct sb *out)
{
	size_t n;

	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if ((unsigned char)*s < 0x20)
			return NULL; /* the end, too */
		if (*s != '\\') {
			sb_char(out, *s++);
			continue;
		}
		if ((n = read_escape(s + 1, out)) == 0)
			return NULL;
		s += 1 + n;
	}
	return s + 1;
}

static const char *
read_name(struct catalog_builder *b, const char *s, struct list *names)
{
	struct sb name = { 0 };

	if ((s = read_quoted(s, &name)) != NULL)
		*(const char **)list_add(names, sizeof(char *)) = builder_intern(b, sb_text(&name), name.len);
	sb_free(&name);
	return s;
}

static bool
read_names(struct catalog_builder *b, const char *s, struct value *v)
{
	struct list names = { 0 };
	const char **kept;
	bool ok = false;

	if (*s++ != '[')
		return false;
	if (*s == ']')
		return s[1] == '\0';
	while ((s = read_name(b, s, &names)) != NULL && *s == ',')
		s++;
	if (s != NULL && s[0] == ']' && s[1] == '\0') {
		kept = cat_take(&b->catalog->arena, names.n * sizeof(*kept));
		memcpy(kept, names.items, names.n * sizeof(*kept));
		v->names = kept;
		v->n = names.n;
		ok = true;
	}
	list_free(&names);
	return ok;
}

static bool
read_letter(const char *s, const char *letters, char *letter)
{
	*letter = s[0];
	return s[0] > ' ' && s[0] < 0x7f && s[1] == '\0' && (letters == NULL || strchr(letters, s[0]) != NULL);
}

static bool
read_value(struct catalog_builder *b, const struct field *f, const char *s, struct value *v)
{
	size_t len = strlen(s);
	int64_t number;

	switch (f->kind) {
	case V_END:
		return false;
	case V_OID:
		return read_oid(&s, &v->oid) && *s == '\0';
	case V_NUMBER:
		if (!read_number(s, f->min, f->max, &number))
			return false;
		v->number = (int32_t)number;
		return true;
	case V_FLAG:
		v->flag = s[0] == 't';
		return len == 1 && (s[0] == 't' || s[0] == 'f');
	case V_LETTER:
		return read_letter(s, f->letters, &v->letter);
	case V_LETTERS:
		v->text = s;
		v->n = len;
		return strspn(s, f->letters) == len;
	case V_NAME:
		if (len > 0)
			v->text = builder_intern(b, s, len);
		return len > 0;
	case V_TEXT:
		v->text = cat_text(&b->catalog->arena, s, len);
		return true;
	case V_OIDS:
		return read_oids(b, s, v);
	case V_NAMES:
		return read_names(b, s, v);
	}
	return false;
}

static const char *
expected(const struct field *f, char *room, size_t size)
{
	static const char *const words[] = { [V_OID] = "an OID",
		[V_FLAG] = "t or f",
		[V_NAME] = "a name",
		[V_TEXT] = "a text",
		[V_OIDS] = "OIDs with a space between",
		[V_NAMES] = "a JSON array of names" };

	if (f->kind == V_NUMBER)
		snprintf(room, size, "a whole number from %d to %d", f->min, f->max);
	else if (f->kind == V_LETTER && f->letters != NULL)
		snprintf(room, size, "one of the letters %s", f->letters);
	else if (f->kind == V_LETTERS)
		snprintf(room, size, "letters of %s", f->letters);
	else
		snprintf(room, size, "%s", f->kind == V_LETTER ? "one letter" : words[f->kind]);
	return room;
}

/* What was found may be long, or no text at all. */
static void
found(const char *s, char *room, size_t size)
{
	size_t i, n = s != NULL ? strnlen(s, 40) : 0;

	for (i = 0; i < n; i++)
		room[i] = s[i] >= ' ' && s[i] < 0x7f ? s[i] : '?';
	room[n] = '\0';
	if (s == NULL)
		snprintf(room, size, "NULL");
}

bool
builder_values(struct catalog_builder *b, const char *const *texts, struct value *values, struct err *err)
{
	const struct field *f = sections[b->section].fields;
	char want[64], have[64];

	for (; f->kind != V_END; f++, texts++, values++) {
		memset(values, 0, sizeof(*values));
		if (*texts == NULL && f->maybe)
			continue;
		if (*texts != NULL && read_value(b, f, *texts, values))
			continue;
		found(*texts, have, sizeof(have));
		return err_set(err, "%s: expected %s, found %s", f->name, expected(f, want, sizeof(want)), have);
	}
	return true;
}
