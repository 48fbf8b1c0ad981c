/* policy/rights_signature.c - "public.cents(numeric)" against the types of a function. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rights_int.h"

/* Names that the grammar has, for types whose own names are others. */
static const struct alias {
	const char *written, *name;
} aliases[] = {
	{ "bigint", "int8" },
	{ "bit varying", "varbit" },
	{ "boolean", "bool" },
	{ "char varying", "varchar" },
	{ "char", "bpchar" },
	{ "character varying", "varchar" },
	{ "character", "bpchar" },
	{ "dec", "numeric" },
	{ "decimal", "numeric" },
	{ "double precision", "float8" },
	{ "float", "float8" },
	{ "int", "int4" },
	{ "integer", "int4" },
	{ "nchar", "bpchar" },
	{ "real", "float4" },
	{ "smallint", "int2" },
	{ "time with time zone", "timetz" },
	{ "time without time zone", "time" },
	{ "timestamp with time zone", "timestamptz" },
	{ "timestamp without time zone", "timestamp" },
};

/* A type as written: its words in lower case with single blanks, or its name as quoted; without (10,2) and []. */
struct written {
	struct sb schema, name;
	bool quoted, array;
};

static void
written_release(struct written *w)
{
	sb_free(&w->schema);
	sb_free(&w->name);
}

static const char *
skip_blanks(const char *s, const char *end)
{
	while (s < end && isspace((unsigned char)*s))
		s++;
	return s;
}

static const char *
read_quoted(const char *s, const char *end, struct sb *out)
{
	for (s++; s < end; s++) {
		if (*s == '"' && (++s == end || *s != '"'))
			break;
		sb_char(out, *s);
	}
	return s;
}

/* What stands before a dot was the schema. */
static void
take_schema(struct written *w)
{
	sb_free(&w->schema);
	w->schema = w->name;
	w->name = (struct sb){ 0 };
	w->quoted = false;
}

static void
read_type(struct written *w, const char *s, const char *end)
{
	bool gap = false;

	if (end - s > 9 && strncasecmp(s, "variadic ", 9) == 0)
		s += 9;
	for (s = skip_blanks(s, end); s < end;) {
		if (*s == '"') {
			w->quoted = true;
			s = read_quoted(s, end, &w->name);
		} else if (*s == '.') {
			take_schema(w);
			s++;
		} else if (*s == '[') {
			w->array = true;
			while (s < end && *s != ']')
				s++;
			s += s < end;
		} else if (*s == '(') {
			while (s < end && *s != ')')
				s++;
			s += s < end;
		} else if (isspace((unsigned char)*s)) {
			gap = w->name.len > 0;
			s++;
			continue;
		} else {
			if (gap)
				sb_char(&w->name, ' ');
			sb_char(&w->name, (char)((unsigned char)*s < 0x80 ? tolower((unsigned char)*s) : *s));
			s++;
		}
		gap = false;
	}
}

static const struct cat_type *
named_in_path(const struct rights *r, const char *name)
{
	const struct cat_type *t = NULL;

	for (size_t i = 0; i < r->npath && t == NULL; i++)
		t = catalog_type_named(r->catalog, r->path[i], name);
	return t;
}

/* NULL: there is none of that name, as far as we can read it. */
static const struct cat_type *
resolve(const struct rights *r, const struct written *w)
{
	const char *name = sb_text(&w->name);
	const struct cat_namespace *ns;

	if (w->schema.len > 0) {
		ns = catalog_namespace_named(r->catalog, sb_text(&w->schema));
		return ns != NULL ? catalog_type_named(r->catalog, ns->oid, name) : NULL;
	}
	for (size_t i = 0; !w->quoted && i < nitems(aliases); i++)
		if (strcmp(aliases[i].written, name) == 0) {
			ns = catalog_namespace_named(r->catalog, "pg_catalog");
			return ns != NULL ? catalog_type_named(r->catalog, ns->oid, aliases[i].name) : NULL;
		}
	return named_in_path(r, name);
}

static bool
argument_fits(const struct rights *r, const char *s, const char *end, uint32_t type, bool certain)
{
	struct written w = { 0 };
	const struct cat_type *t;
	bool fits;

	read_type(&w, s, end);
	t = resolve(r, &w);
	if (t == NULL)
		fits = !certain;
	else
		fits = type == (w.array ? t->array : t->oid);
	written_release(&w);
	return fits;
}

/* The comma after this argument, or the end. */
static const char *
argument_end(const char *s)
{
	int depth = 0;
	bool quoted = false;

	for (; *s != '\0' && (*s != ',' || depth > 0 || quoted); s++) {
		quoted ^= *s == '"';
		if (!quoted)
			depth += (*s == '(') - (*s == ')');
	}
	return s;
}

bool
rights_signature(const struct rights *r, const struct cat_function *f, const struct function_pattern *p, bool certain)
{
	const char *s = p->signature, *end = s + strlen(s);
	size_t n = 0;

	if (skip_blanks(s, end) == end)
		return f->nargs == 0;
	for (;; s++) {
		const char *stop = argument_end(s);

		if (n == f->nargs || !argument_fits(r, s, stop, f->args[n], certain))
			return false;
		n++;
		if (*(s = stop) == '\0')
			return n == f->nargs;
	}
}
