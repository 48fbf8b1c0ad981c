/* policy/analyze_object.c - objects named by a string: 'x'::regclass, pg_get_viewdef('x'), and names in statistics. */
#include "substitute.h"

#include "analyze_int.h"

#include <string.h>

bool
is_reg_type(uint32_t type)
{
	switch (type) {
	case OID_REGPROC:
	case OID_REGPROCEDURE:
	case OID_REGOPER:
	case OID_REGOPERATOR:
	case OID_REGCLASS:
	case OID_REGTYPE:
	case OID_REGNAMESPACE:
		return true;
	default:
		return false;
	}
}

uint32_t
reg_type(uint32_t type)
{
	static const uint32_t arrays[][2] = { { 1008, OID_REGPROC }, { 2207, OID_REGPROCEDURE }, { 2208, OID_REGOPER },
		{ 2209, OID_REGOPERATOR }, { 2210, OID_REGCLASS }, { 2211, OID_REGTYPE }, { 4090, OID_REGNAMESPACE } };

	for (size_t i = 0; i < nitems(arrays); i++)
		if (arrays[i][0] == type)
			return arrays[i][1];
	return is_reg_type(type) ? type : 0;
}

/* --- a qualified name in a string ------------------------------------------------------ */

struct qualified {
	char schema[64], name[64];
};

/* One identifier, quoted or folded, cut as the server cuts it. */
static const char *
read_identifier(const char *p, char out[64])
{
	const bool quoted = *p == '"';
	size_t n = 0;

	for (p += quoted; *p != '\0'; p++) {
		if (quoted ? *p == '"' : (*p == '.' || *p == '(' || *p == ',' || is_blank(*p))) {
			if (!quoted || p[1] != '"')
				break;
			p++;
		}
		if (n < 63)
			out[n++] = quoted || *p < 'A' || *p > 'Z' ? *p : (char)(*p + ('a' - 'A'));
	}
	out[n] = '\0';
	return p + (quoted && *p == '"');
}

/* The last two parts; what follows them (arguments, []) is left. */
static void
read_qualified(const char *p, struct qualified *q)
{
	*q = (struct qualified){ "", "" };
	for (;;) {
		while (is_blank(*p))
			p++;
		memcpy(q->schema, q->name, sizeof(q->schema));
		p = read_identifier(p, q->name);
		while (is_blank(*p))
			p++;
		if (*p != '.')
			return;
		p++;
	}
}

/* --- is it closed? -------------------------------------------------------------------------- */

static const struct cat_relation *
owner_of(const struct analyzer *a, const struct cat_relation *rel)
{
	const struct cat_relation *table = rel->of != 0 ? catalog_relation_of(a->catalog, rel->of) : NULL;

	return table != NULL ? table : rel;
}

static bool
is_closed(struct analyzer *a, const struct cat_relation *rel)
{
	return rel->oid >= FIRST_USER_OID &&
	       (rights_restricted_relation(a->rights, rel) || rights_restricted_relation(a->rights, owner_of(a, rel)));
}

static void
refuse_relation(struct analyzer *a, const struct cat_relation *rel, int location)
{
	if (is_closed(a, rel) && !in_ours(a, location))
		stop(a, RULE_TABLE_DENIED, location, "the name of %.64s.%.64s refused: this table is not open to this connection",
		    catalog_schema_name(a->catalog, rel->namespace), rel->name);
}

static void
refuse_function(struct analyzer *a, const struct cat_function *f, int location)
{
	if (f->oid >= FIRST_USER_OID && rights_restricted_function(a->rights, f) && !in_ours(a, location))
		stop(a, RULE_FUNCTION_DENIED, location, "the name of %.64s.%.64s refused: this function may not be called",
		    catalog_schema_name(a->catalog, f->namespace), f->name);
}

static void
refuse_type(struct analyzer *a, const struct cat_type *t, int location)
{
	struct type_label l;

	if (t->oid >= FIRST_USER_OID && rights_restricted_type(a->rights, t) && !in_ours(a, location))
		stop(a, RULE_SCHEMA_DENIED, location, "the name of type %s refused: it is not open to this connection",
		    type_words(a, t->oid, &l));
}

static void
refuse_schema(struct analyzer *a, const char *name, int location)
{
	if (rights_restricted_schema(a->rights, name) && !in_ours(a, location))
		stop(a, RULE_SCHEMA_DENIED, location, "the name of schema %.64s refused: it is not open to this connection", name);
}

static void
check_functions(struct analyzer *a, const struct qualified *q, int location)
{
	size_t n = 0;
	const struct cat_function *const *list = catalog_functions_named(a->catalog, q->name, &n);

	for (size_t i = 0; i < n && !a->failed; i++)
		if (q->schema[0] == '\0' || strcmp(catalog_schema_name(a->catalog, list[i]->namespace), q->schema) == 0)
			refuse_function(a, list[i], location);
}

static void
check_name(struct analyzer *a, const char *text, uint32_t reg, int location)
{
	const struct cat_relation *rel;
	const struct cat_type *t;
	struct qualified q;

	read_qualified(text, &q);
	if (q.schema[0] != '\0' && reg != OID_REGNAMESPACE)
		refuse_schema(a, q.schema, location);
	switch (reg) {
	case OID_REGCLASS:
		if ((rel = rights_find_relation(a->rights, q.schema, q.name)) != NULL)
			refuse_relation(a, rel, location);
		break;
	case OID_REGTYPE:
		if ((t = types_named(&a->types, q.schema[0] != '\0' ? q.schema : NULL, q.name)) != NULL)
			refuse_type(a, t, location);
		break;
	case OID_REGPROC:
	case OID_REGPROCEDURE:
		check_functions(a, &q, location);
		break;
	case OID_REGNAMESPACE:
		refuse_schema(a, q.name, location);
		break;
	default:
		break;
	}
}

static void
check_oid(struct analyzer *a, uint32_t oid, uint32_t reg, int location)
{
	const struct cat_relation *rel = reg == OID_REGCLASS ? catalog_relation_of(a->catalog, oid) : NULL;
	const struct cat_function *f = reg == OID_REGPROC || reg == OID_REGPROCEDURE ? catalog_function_of(a->catalog, oid) : NULL;
	const struct cat_type *t = reg == OID_REGTYPE ? catalog_type_of(a->catalog, oid) : NULL;
	const struct cat_namespace *ns = reg == OID_REGNAMESPACE ? catalog_namespace(a->catalog, oid) : NULL;

	if (rel != NULL)
		refuse_relation(a, rel, location);
	if (f != NULL)
		refuse_function(a, f, location);
	if (t != NULL)
		refuse_type(a, t, location);
	if (ns != NULL)
		refuse_schema(a, ns->name, location);
}

/* '{a,b}'::regclass[] and the like: each word by itself. */
static void
check_elements(struct analyzer *a, const char *text, uint32_t reg, int location)
{
	char word[256];

	while (*text != '\0' && !a->failed) {
		size_t n = 0;
		bool quoted = false;

		for (; *text != '\0' && (quoted || strchr("{},", *text) == NULL); text++) {
			if (*text == '"' && (n == 0 || quoted)) {
				quoted = !quoted;
				continue;
			}
			if (*text == '\\' && text[1] != '\0')
				text++;
			if (n < sizeof(word) - 1)
				word[n++] = *text;
		}
		word[n] = '\0';
		if (n > 0)
			check_name(a, word, reg, location);
		if (*text != '\0')
			text++;
	}
}

bool
is_text(struct value_type v)
{
	return v.type == TYPE_UNKNOWN || v.type == OID_TEXT || v.type == OID_VARCHAR || v.type == OID_BPCHAR ||
	       v.type == OID_NAME || v.type == TYPE_ANY;
}

/* What is computed could be any name, and tells whether there is such a thing. */
void
refuse_computed(struct analyzer *a, int location)
{
	if (!in_ours(a, location))
		stop(a, RULE_FUNCTION_DENIED, location,
		    "a computed name of an object refused: the name is computed, so it could be that of a closed one; write it as "
		    "a constant");
}

void
check_reg(struct analyzer *a, const Node *n, struct value_type from, uint32_t reg, int location)
{
	const char *text;
	uint32_t oid;

	if (!a->restricts || a->failed || a->body != NULL)
		return;
	if (n != NULL && constant_number(n, &oid)) {
		check_oid(a, oid, reg, location);
	} else if (n != NULL && (text = constant_name(n)) != NULL) {
		if (*text == '{')
			check_elements(a, text, reg, location);
		else
			check_name(a, text, reg, location);
	} else if (n != NULL && is_text(from) && reg != OID_REGNAMESPACE) {
		refuse_computed(a, location);
	}
}

/* --- functions that take names -------------------------------------------------------------- */

struct named_argument {
	const char *function;
	int from_end; /* which argument names the object, counted from the last; -1: the first */
	uint32_t reg;
	bool computed; /* is any computed name refused? */
};

static const struct named_argument named_arguments[] = {
	{ "has_any_column_privilege", 1, OID_REGCLASS, false },
	{ "has_column_privilege", 2, OID_REGCLASS, false },
	{ "has_function_privilege", 1, OID_REGPROCEDURE, false },
	{ "has_schema_privilege", 1, OID_REGNAMESPACE, false },
	{ "has_sequence_privilege", 1, OID_REGCLASS, false },
	{ "has_table_privilege", 1, OID_REGCLASS, false },
	{ "has_type_privilege", 1, OID_REGTYPE, false },
	{ "pg_get_function_arguments", -1, OID_REGPROCEDURE, false },
	{ "pg_get_function_sqlbody", -1, OID_REGPROCEDURE, false },
	{ "pg_get_functiondef", -1, OID_REGPROCEDURE, false },
	{ "pg_get_indexdef", -1, OID_REGCLASS, false },
	{ "pg_get_partkeydef", -1, OID_REGCLASS, false },
	{ "pg_get_serial_sequence", -1, OID_REGCLASS, false },
	{ "pg_get_viewdef", -1, OID_REGCLASS, false },
	{ "pg_relpages", -1, OID_REGCLASS, false },
	{ "pg_sequence_parameters", -1, OID_REGCLASS, false },
	{ "pgstatindex", -1, OID_REGCLASS, false },
	{ "pgstattuple", -1, OID_REGCLASS, false },
	{ "row_security_active", -1, OID_REGCLASS, false },
	{ "to_regclass", -1, OID_REGCLASS, true },
	{ "to_regnamespace", -1, OID_REGNAMESPACE, true },
	{ "to_regproc", -1, OID_REGPROC, true },
	{ "to_regprocedure", -1, OID_REGPROCEDURE, true },
	{ "to_regtype", -1, OID_REGTYPE, true },
};

static const struct named_argument *
named_argument(const char *function)
{
	size_t low = 0, high = nitems(named_arguments);

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const int c = strcmp(function, named_arguments[mid].function);

		if (c == 0)
			return &named_arguments[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool
judged_by_argument(const char *function)
{
	static const char *const beginnings[] = { "pg", "to_reg", "has_", "current_setting", "set_config", "col_description",
		"obj_description", "row_security_active" };
	enum wrap_kind what;
	unsigned argument;
	size_t i = 0;

	while (i < nitems(beginnings) && strncmp(function, beginnings[i], strlen(beginnings[i])) != 0)
		i++;
	if (i == nitems(beginnings))
		return false;
	return strcmp(function, "current_setting") == 0 || strcmp(function, "set_config") == 0 ||
	       named_argument(function) != NULL || wrap_needed(function, &what, &argument);
}

/* A number or a name that stands in the text. */
bool
check_constant(struct analyzer *a, const Node *n, uint32_t reg, int location)
{
	uint32_t oid;

	if (constant_number(n, &oid))
		check_oid(a, oid, reg, location);
	else if (constant_name(n) != NULL)
		check_name(a, constant_name(n), reg, location);
	else
		return false;
	return true;
}

static void
check_named(struct analyzer *a, const struct named_argument *f, const Node *n, struct value_type v, int location)
{
	if (!check_constant(a, n, f->reg, location) && f->computed && is_text(v))
		refuse_computed(a, location);
}

/* pg_input_is_valid('...', 'type') makes a value of the type that the second names. */
static void
check_input(struct analyzer *a, const Node *n, int location)
{
	const char *text = constant_text(n);
	const struct cat_type *t;
	struct qualified q;

	if (text == NULL) {
		stop(a, RULE_FUNCTION_DENIED, location, "call of pg_input_is_valid refused: the type's name is computed");
		return;
	}
	read_qualified(text, &q);
	if ((t = types_named(&a->types, q.schema[0] != '\0' ? q.schema : NULL, q.name)) != NULL)
		make_value(a, t->oid, location);
}

static bool
takes_names(const struct cat_function *f)
{
	return f->oid < FIRST_USER_OID || (f->extension != NULL && strcmp(f->extension, "pgstattuple") == 0);
}

void
check_reg_arguments(struct analyzer *a, const struct cat_function *f, const char *name, const Node *const *nodes,
    const struct value_type *types, size_t n, int location)
{
	const struct named_argument *named;

	if (n == 0 || a->failed || a->body != NULL || (f != NULL && !takes_names(f)))
		return;
	if (n == 2 && (strcmp(name, "pg_input_is_valid") == 0 || strcmp(name, "pg_input_error_info") == 0))
		check_input(a, nodes[1], location);
	if (!a->restricts)
		return;
	for (size_t i = 0; f != NULL && i < n && i < f->nargs; i++)
		if (is_reg_type(f->args[i]))
			check_reg(a, nodes[i], types[i], f->args[i], location);
	if ((named = named_argument(name)) == NULL)
		return;
	if (named->from_end < 0)
		check_named(a, named, nodes[0], types[0], location);
	else if ((size_t)named->from_end < n)
		check_named(a, named, nodes[n - 1 - (size_t)named->from_end], types[n - 1 - (size_t)named->from_end], location);
}
