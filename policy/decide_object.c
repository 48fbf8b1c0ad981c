/* policy/decide_object.c - relations judged as what the catalog says they are. */
#include "refusal.h"

#include <string.h>

/* Whoever may create tables may have made this one since, or a temporary one that no catalog of ours shows. */
static bool
may_have_made(const struct profile *p)
{
	return !p->read_only && (p->statements_allow & ~p->statements_deny & 1u << KIND_DDL) != 0 &&
	       p->statements_allow != UINT32_MAX;
}

static bool
refuse_unknown(const struct fact *f, struct refusal *r)
{
	refuse(r, RULE_UNKNOWN_OBJECT, f->location, "relation \"%.80s%s%.80s\" does not exist", f->schema,
	    *f->schema != '\0' ? "." : "", f->name);
	r->sqlstate = "42P01";
	return false;
}

static bool
refuse_relation(const struct relation_rights *right, const struct cat_relation *rel, const struct catalog *catalog,
    const struct fact *f, struct refusal *r)
{
	const char *schema = catalog_schema_name(catalog, rel->namespace);
	const char *act = (f->number & ACCESS_WRITE) != 0 ? "writing to" : "access to";

	if (right->why != NULL)
		return refuse(r, right->rule, f->location, "%s %.80s.%.80s refused: %.400s", act, schema, rel->name, right->why);
	if (right->rule == RULE_SCHEMA_DENIED)
		return refuse(r, right->rule, f->location,
		    "access to %.80s.%.80s refused: its schema is not open to this connection", schema, rel->name);
	return refuse(r, right->rule, f->location, "%s %.80s.%.80s refused: this table is not open to this connection", act, schema,
	    rel->name);
}

bool
decide_relation(struct rights *rights, const struct fact *f, bool *by_name, struct refusal *r)
{
	const struct cat_relation *rel = rights_find_relation(rights, f->schema, f->name);
	const struct relation_rights *right;

	*by_name = false;
	if (rel == NULL) {
		/* what is to be made, or a whole schema ("*") */
		*by_name = (f->number & ACCESS_WRITE) != 0 || strcmp(f->name, "*") == 0 || may_have_made(rights_profile(rights));
		return *by_name || refuse_unknown(f, r);
	}
	right = rights_relation(rights, rel, (unsigned)f->number, f->only);
	return right->standing != STANDING_DENIED || refuse_relation(right, rel, rights_catalog(rights), f, r);
}

/* Where a query stands that the analysis does not cover, nothing is put in a relation's place. */
bool
decide_unguarded(struct rights *rights, const struct fact *f, struct refusal *r)
{
	const struct cat_relation *rel = rights_find_relation(rights, f->schema, f->name);

	if (rel == NULL || (f->number & ACCESS_READ) == 0 ||
	    rights_relation(rights, rel, (unsigned)f->number, f->only)->standing != STANDING_GUARDED)
		return true;
	return refuse(r, RULE_COLUMN_DENIED, f->location,
	    "access to %.80s.%.80s refused: parts of it are hidden, and in this statement nothing can be put in its place",
	    catalog_schema_name(rights_catalog(rights), rel->namespace), rel->name);
}
