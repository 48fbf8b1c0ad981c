/* policy/definitions_sql.c - whose row is it, and the error for those that are restricted.
 *
 * A score counts, from strict functions alone, how often the row's owner stands in
 * the lists. A check is 1 for a score of 0, and else the cast of the marker to a
 * number, which fails. See definitions.h for why it is not a CASE.
 */
#include "definitions_sql.h"
#include "mask.h"

#include <stdlib.h>
#include <string.h>

#define T(type) "::\"pg_catalog\".\"" type "\""
#define OP(op) " OPERATOR(\"pg_catalog\"." op ") "
#define LEFT "\"pg_catalog\".\"left\"("

enum {
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_FLOAT4 = 700,
	OID_NAME = 19,
	OID_TEXT = 25,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043
};
/* Each mask holds its list. What all masks of a catalog come to is sent to the server with every statement that reads them. */
#define TEXT_MAX ((size_t)128 << 10)

enum { OID_PG_TYPE = 1247, OID_PG_PROC = 1255, OID_PG_CLASS = 1259, OID_PG_NAMESPACE = 2615 };

/* --- lists ----------------------------------------------------------------------- */

void
definitions_oids(const struct restricted_objects *restricted, enum restricted list, struct sb *sb)
{
	sb_str(sb, "'{");
	for (size_t i = 0; i < restricted->n[list]; i++)
		sb_fmt(sb, "%s%u", i > 0 ? "," : "", restricted->oids[list][i]);
	sb_str(sb, "}'" T("oid") "[]");
}

bool
definitions_pattern(const struct restricted_objects *restricted, unsigned lists, struct sb *sb)
{
	const char *separator = "";
	size_t n = 0;

	sb_str(sb, "'^(?:");
	for (unsigned list = 0; list < RESTRICTED_LISTS; list++) {
		if ((lists & 1u << list) == 0)
			continue;
		if ((n += restricted->n[list]) > DEFINITIONS_MAX)
			return false;
		for (size_t i = 0; i < restricted->n[list]; i++, separator = "|")
			sb_fmt(sb, "%s%u", separator, restricted->oids[list][i]);
	}
	sb_str(sb, ")$'");
	return true;
}

/* An array of texts as one literal: element by element first, the whole of it then. */
struct texts {
	struct sb sb;
	size_t n;
};

static void
texts_add(struct texts *t, const char *const *parts, size_t n)
{
	if (++t->n > DEFINITIONS_MAX)
		return;
	sb_char(&t->sb, t->n > 1 ? ',' : '{');
	sb_char(&t->sb, '"');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sb_char(&t->sb, '.');
		for (const char *s = parts[i]; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				sb_char(&t->sb, '\\');
			sb_char(&t->sb, *s);
		}
	}
	sb_char(&t->sb, '"');
}

static void
texts_write(struct texts *t, struct sb *sb)
{
	sb_char(&t->sb, '}');
	guard_literal(sb, sb_text(&t->sb));
	sb_str(sb, T("text") "[]");
}

/* --- scores ---------------------------------------------------------------------- */

struct score {
	struct sb sb;
	bool too_many;
};

static void
score_begin(struct score *s)
{
	sb_str(&s->sb, s->sb.len > 0 ? OP("+") "(" : "(");
}

static void
score_oids(struct score *s, const struct restricted_objects *restricted, enum restricted list, const char *key)
{
	if (restricted->n[list] == 0)
		return;
	if (restricted->n[list] > DEFINITIONS_MAX) {
		s->too_many = true;
		return;
	}
	score_begin(s);
	guard_name(&s->sb, key);
	sb_str(&s->sb, T("oid") OP("=") "ANY (");
	definitions_oids(restricted, list, &s->sb);
	sb_str(&s->sb, "))" T("int4"));
}

/* The keys with dots between them. Names that hold dots can meet others: that hides too much, never too little. */
static void
write_keys(struct sb *sb, const struct definition *d)
{
	for (size_t i = 0; i < nitems(d->keys) && d->keys[i] != NULL; i++) {
		if (i > 0)
			sb_fmt(sb, OP("||") "'%s'" OP("||"), d->owner == OWNER_COLUMN ? " " : ".");
		guard_name(sb, d->keys[i]);
		sb_str(sb, T("text"));
	}
}

static void
score_texts(struct score *s, const struct definition *d, size_t nkeys, struct texts *t)
{
	struct definition keys = *d;

	if (t->n > DEFINITIONS_MAX) {
		s->too_many = true;
	} else if (t->n > 0) {
		if (nkeys < nitems(keys.keys))
			keys.keys[nkeys] = NULL;
		score_begin(s);
		sb_char(&s->sb, '(');
		write_keys(&s->sb, &keys);
		sb_str(&s->sb, ")" OP("=") "ANY (");
		texts_write(t, &s->sb);
		sb_str(&s->sb, "))" T("int4"));
	}
	sb_free(&t->sb);
}

static void
score_relation_names(struct score *s, const struct definition_text *x, const struct definition *d)
{
	const struct restricted_objects *r = x->restricted;
	struct texts t = { 0 };

	for (size_t i = 0; i < r->n[RESTRICTED_RELATIONS]; i++) {
		const struct cat_relation *relation = catalog_relation_of(x->catalog, r->oids[RESTRICTED_RELATIONS][i]);

		if (relation != NULL)
			texts_add(
			    &t, (const char *const[]){ catalog_schema_name(x->catalog, relation->namespace), relation->name }, 2);
	}
	score_texts(s, d, 2, &t);
}

static void
score_type_names(struct score *s, const struct definition_text *x, const struct definition *d)
{
	const struct restricted_objects *r = x->restricted;
	struct texts t = { 0 };

	for (size_t i = 0; i < r->n[RESTRICTED_TYPES]; i++) {
		const struct cat_type *type = catalog_type_of(x->catalog, r->oids[RESTRICTED_TYPES][i]);

		if (type != NULL)
			texts_add(&t, (const char *const[]){ catalog_schema_name(x->catalog, type->namespace), type->name }, 2);
	}
	score_texts(s, d, 2, &t);
}

static void
score_schema_names(struct score *s, const struct definition_text *x, const struct definition *d)
{
	const struct restricted_objects *r = x->restricted;
	struct texts t = { 0 };

	for (size_t i = 0; i < r->n[RESTRICTED_SCHEMAS]; i++)
		texts_add(&t, (const char *const[]){ catalog_schema_name(x->catalog, r->oids[RESTRICTED_SCHEMAS][i]) }, 1);
	score_texts(s, d, 1, &t);
}

static void
score_settings(struct score *s, const struct definition *d)
{
	struct texts t = { 0 };
	size_t n;
	const char *const *names = definitions_settings(&n);

	for (size_t i = 0; i < n; i++)
		texts_add(&t, &names[i], 1);
	score_texts(s, d, 1, &t);
}

/* information_schema makes a function's specific_name of its name, _ and its OID. */
static void
score_specific_name(struct score *s, const struct definition_text *x, const struct definition *d)
{
	const struct restricted_objects *r = x->restricted;

	if (r->n[RESTRICTED_FUNCTIONS] == 0)
		return;
	s->too_many = r->n[RESTRICTED_FUNCTIONS] > DEFINITIONS_MAX;
	sb_str(&s->sb, "(\"pg_catalog\".\"regexp_replace\"(");
	guard_name(&s->sb, d->keys[0]);
	sb_str(&s->sb, T("text") ", '^.*_', '')" T("oid") OP("=") "ANY (");
	definitions_oids(r, RESTRICTED_FUNCTIONS, &s->sb);
	sb_str(&s->sb, "))" T("int4"));
}

/* pg_description: the lists by the catalog that the object stands in. */
static void
score_comment(struct score *s, const struct definition_text *x, const struct definition *d)
{
	static const struct {
		enum restricted list;
		unsigned catalog;
	} lists[] = { { RESTRICTED_RELATIONS, OID_PG_CLASS }, { RESTRICTED_FUNCTIONS, OID_PG_PROC },
		{ RESTRICTED_TYPES, OID_PG_TYPE }, { RESTRICTED_SCHEMAS, OID_PG_NAMESPACE } };

	for (size_t i = 0; i < nitems(lists); i++) {
		struct score one = { 0 };

		score_oids(&one, x->restricted, lists[i].list, d->keys[0]);
		s->too_many = s->too_many || one.too_many;
		if (one.sb.len > 0) {
			score_begin(s);
			sb_fmt(&s->sb, "%s" OP("*") "(\"%s\"" OP("=") "%u" T("oid") ")" T("int4") ")", sb_text(&one.sb), d->keys[1],
			    lists[i].catalog);
		}
		sb_free(&one.sb);
	}
}

/* 1, but not a constant, which would be the error before there is any row. */
static void
score_every_row(struct score *s, const struct definition *d)
{
	sb_str(&s->sb, "\"pg_catalog\".\"length\"(" LEFT);
	guard_name(&s->sb, d->keys[0]);
	sb_str(&s->sb, T("text") ", 1))");
}

/* --- columns and rows that the policy hides --------------------------------------------- */

static void
add_hidden_columns(struct texts *t, const struct definition_text *x, const struct definition *d, const struct cat_relation *r)
{
	char oid[16], number[16];

	for (size_t i = 0; i < r->ncolumns && t->n <= DEFINITIONS_MAX; i++) {
		if ((d->owner == OWNER_VALUES ? guard_action_for : guard_rule_for)(x->profile, x->catalog, r, &r->columns[i]) ==
		    COLUMN_OPEN)
			continue;
		snprintf(oid, sizeof(oid), "%u %d", r->oid, r->columns[i].number);
		snprintf(number, sizeof(number), "%u", r->oid);
		if (d->owner == OWNER_COLUMN)
			texts_add(t, (const char *const[]){ oid }, 1);
		else if (d->owner == OWNER_COLUMN_NAME)
			texts_add(t,
			    (const char *const[]){ catalog_schema_name(x->catalog, r->namespace), r->name, r->columns[i].name }, 3);
		else {
			texts_add(t, (const char *const[]){ number }, 1);
			return;
		}
	}
}

static void
score_hidden(struct score *s, const struct definition_text *x, const struct definition *d)
{
	const size_t n = catalog_relations(x->catalog);
	struct texts t = { 0 };
	char number[16];

	for (size_t i = 0; i < n && t.n <= DEFINITIONS_MAX; i++) {
		const struct cat_relation *r = catalog_relation_at(x->catalog, i);

		if (d->owner == OWNER_VALUES && guard_has_filter(x->profile, x->catalog, r)) {
			snprintf(number, sizeof(number), "%u", r->oid);
			texts_add(&t, (const char *const[]){ number }, 1);
		} else if (guard_touches(x->profile, x->catalog, r)) {
			add_hidden_columns(&t, x, d, r);
		}
	}
	score_texts(s, d, nitems(d->keys), &t);
}

/* --- masks ------------------------------------------------------------------------------ */

static bool
is_anything_restricted(const struct definition_text *x)
{
	for (size_t i = 0; i < RESTRICTED_LISTS; i++)
		if (x->restricted->n[i] > 0)
			return true;
	return x->profile->ncolumns > 0 || x->profile->nrow_filters > 0;
}

static void
write_score(struct score *s, const struct definition_text *x, const struct definition *d)
{
	switch (d->owner) {
	case OWNER_RELATION:
		score_oids(s, x->restricted, RESTRICTED_RELATIONS, d->keys[0]);
		break;
	case OWNER_VALUES:
	case OWNER_COLUMN:
		score_oids(s, x->restricted, RESTRICTED_RELATIONS, d->keys[0]);
		score_hidden(s, x, d);
		break;
	case OWNER_TYPE:
		score_oids(s, x->restricted, RESTRICTED_TYPES, d->keys[0]);
		break;
	case OWNER_FUNCTION:
		score_oids(s, x->restricted, RESTRICTED_FUNCTIONS, d->keys[0]);
		break;
	case OWNER_CONSTRAINT:
		score_oids(s, x->restricted, RESTRICTED_RELATIONS, d->keys[0]);
		score_oids(s, x->restricted, RESTRICTED_TYPES, d->keys[1]);
		break;
	case OWNER_COMMENT:
		score_comment(s, x, d);
		break;
	case OWNER_COLUMN_NAME:
		score_relation_names(s, x, d);
		score_hidden(s, x, d);
		break;
	case OWNER_RELATION_NAME:
		score_relation_names(s, x, d);
		break;
	case OWNER_TYPE_NAME:
		score_type_names(s, x, d);
		break;
	case OWNER_SCHEMA_NAME:
		score_schema_names(s, x, d);
		break;
	case OWNER_SPECIFIC_NAME:
		score_specific_name(s, x, d);
		break;
	case OWNER_SETTING:
		score_settings(s, d);
		break;
	case OWNER_ANYBODY:
		if (is_anything_restricted(x))
			score_every_row(s, d);
		break;
	case OWNER_SERVER:
		score_every_row(s, d);
		break;
	case OWNER_CLOSED:
		s->too_many = true;
	}
}

enum value { VALUE_TEXT, VALUE_NUMBER, VALUE_OTHER };

static enum value
value_of(const struct catalog *c, uint32_t oid)
{
	const struct cat_type *type = catalog_type_of(c, oid);

	for (int i = 0; type != NULL && type->kind == 'd' && i < 10; i++)
		type = catalog_type_of(c, type->base);
	switch (type != NULL ? type->oid : 0) {
	case OID_NAME:
	case OID_TEXT:
	case OID_BPCHAR:
	case OID_VARCHAR:
		return VALUE_TEXT;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_FLOAT4:
		return VALUE_NUMBER;
	default:
		return VALUE_OTHER;
	}
}

/* 1, or the error; NULL where the value is NULL, which tells nothing. */
static void
write_check(struct sb *sb, const char *score, const char *value)
{
	sb_str(sb, LEFT);
	if (value != NULL)
		sb_fmt(sb, LEFT "%s" T("text") ", 0)" OP("||"), value);
	sb_fmt(sb, "'1" GUARD_MARKER "', 1" OP("+") "((%s)" OP("*") "20))" T("int4"), score);
}

static void
write_masks(const struct definition_text *x, const struct cat_column *column, const char *score, struct sb *loud, struct sb *quiet)
{
	struct sb name = { 0 }, type = { 0 };
	const char *value;

	guard_name(&name, column->name);
	value = sb_text(&name);
	if (!type_write(x->catalog, column->type, -1, &type)) {
		sb_str(loud, "NULL");
	} else if (value_of(x->catalog, column->type) == VALUE_TEXT) {
		sb_fmt(loud, "(" LEFT "%s" T("text") ", 2147483647" OP("*"), value);
		write_check(loud, score, value);
		sb_fmt(loud, ")::%s)", sb_text(&type));
	} else if (value_of(x->catalog, column->type) == VALUE_NUMBER) {
		sb_fmt(loud, "(%s" OP("*"), value);
		write_check(loud, score, value);
		sb_fmt(loud, "::%s)", sb_text(&type));
	} else {
		sb_fmt(loud, "(CASE WHEN %s IS NULL THEN NULL WHEN ", value);
		write_check(loud, score, NULL);
		sb_fmt(loud, OP("=") "1 THEN %s END)", value);
		sb_fmt(quiet, "(CASE WHEN (%s)" OP("=") "0 THEN %s END)", score, value);
	}
	sb_free(&name);
	sb_free(&type);
}

enum definition_answer
definition_write(
    struct definition_text *x, const struct definition *d, const struct cat_column *column, struct sb *loud, struct sb *quiet)
{
	enum definition_answer answer = DEFINITION_OPEN;
	struct score s = { 0 };

	write_score(&s, x, d);
	if (s.too_many || s.sb.bad)
		answer = DEFINITION_TOO_MANY;
	else if (s.sb.len > 0) {
		write_masks(x, column, sb_text(&s.sb), loud, quiet);
		x->written += loud->len;
		answer = x->written > TEXT_MAX ? DEFINITION_TOO_MANY : DEFINITION_MASKED;
	}
	sb_free(&s.sb);
	return answer;
}
