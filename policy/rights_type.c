/* policy/rights_type.c - may a value of this type be made?
 *
 * Making one runs the type's input function and, for a domain, its CHECKs;
 * for an array, a row, a range, those of what it is made of.
 */
#include <stdlib.h>
#include <string.h>

#include "rights_int.h"

static const char too_deep[] = "it is made of more types and functions than can be followed";

/* Types of an extension are code, by which its functions are judged: a schema that schemas.allow does not name does not
 * close them. Arrays and multiranges stand where their elements and ranges do. */
static bool
schema_open(const struct rights *r, const struct cat_type *t)
{
	const char *schema = rights_schema(r, t->namespace);

	if (t->element != 0 || t->kind == 'm')
		return true;
	return t->extension != NULL ? !profile_schema_denied(r->profile, schema) : profile_schema_open(r->profile, schema);
}

static bool
part_open(struct rights *r, uint32_t type, const char **why)
{
	const struct cat_type *t = type != 0 ? catalog_type_of(r->catalog, type) : NULL;

	return t == NULL || rights_type(r, t, why);
}

static bool
fields_open(struct rights *r, const struct cat_type *t, const char **why)
{
	const struct cat_relation *row = t->relation != 0 ? catalog_relation_of(r->catalog, t->relation) : NULL;

	for (size_t i = 0; row != NULL && i < row->ncolumns; i++)
		if (!part_open(r, row->columns[i].type, why))
			return false;
	return true;
}

static bool
checks_open(struct rights *r, const struct cat_type *t, const char **why)
{
	for (size_t i = 0; i < t->nchecks; i++) {
		struct sb sql = { 0 };
		struct body body = { .value = { .type = t->base } };
		struct err text = { "" }, err;
		enum rule rule;
		bool good;

		sb_fmt(&sql, "SELECT 1 WHERE (%s)", t->checks[i]);
		body.sql = sb_text(&sql);
		good = !sql.bad && rights_body(r, &body, false, &rule, &text);
		sb_free(&sql);
		if (good)
			continue;
		err_set(&err, "a CHECK of domain %.80s is not open: %.600s", t->name, text.text);
		*why = r->exhausted ? too_deep : rights_keep(r, err.text);
		return false;
	}
	return true;
}

static bool
support_open(struct rights *r, const struct cat_type *t, const char **why)
{
	for (size_t i = 0; i < t->nsupport; i++) {
		const struct cat_function *f = catalog_function_of(r->catalog, t->support[i]);

		if (f == NULL) {
			*why = "a function that makes its values is not known";
			return false;
		}
		if (rights_function(r, f, -1, why) != FUNCTION_OPEN)
			return false;
	}
	return true;
}

static bool
judge(struct rights *r, const struct cat_type *t, const char **why)
{
	if (!schema_open(r, t)) {
		*why = "its schema is not open to this connection";
		return false;
	}
	return part_open(r, t->element, why) && part_open(r, t->base, why) && fields_open(r, t, why) && checks_open(r, t, why) &&
	       support_open(r, t, why);
}

static bool
find_out(struct rights *r, const struct cat_type *t, const char **why)
{
	bool good, final;

	if (!rights_enter(r)) {
		*why = too_deep;
		return false;
	}
	memo_put(&r->types, t->oid, (uint32_t)r->depth);
	good = judge(r, t, why);
	final = rights_leave(r, good);
	memo_put(&r->types, t->oid, final ? rights_found(r, good ? FUNCTION_OPEN : FUNCTION_DENIED, *why) : 0);
	return good && !r->exhausted;
}

bool
rights_type(struct rights *r, const struct cat_type *t, const char **why)
{
	const char *ignored;
	uint32_t value;
	bool good;

	if (why == NULL)
		why = &ignored;
	*why = "";
	if (t->oid < FIRST_USER_OID)
		return true;
	if ((value = memo_get(&r->types, t->oid)) >= FOUND) {
		*why = r->findings[value - FOUND].why;
		return r->findings[value - FOUND].answer == FUNCTION_OPEN;
	}
	if (value != 0) { /* its own CHECK makes values of it */
		rights_rely(r, (int)value - 1);
		return true;
	}
	do
		good = find_out(r, t, why);
	while (!good && rights_again(r));
	return good;
}
