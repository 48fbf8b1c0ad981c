/* policy/functions.c - may this function be called?
 *
 * The tables are generated from pg_proc (gen_functions.py). A call is matched
 * by name and by the number of its arguments; argument types are not known
 * here, so an overload of a built-in's name that a user made in another schema
 * is taken for the built-in when it has as many arguments. Telling them apart
 * needs the catalog.
 */
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "profile.h"

enum function_verdict { OPEN, HARMLESS, VOLATILE, REFUSED };

enum reason {
	NONE,
	ADMIN,
	CONFIG,
	END_SESSIONS,
	EXTENSION,
	FILES,
	LARGE_READ,
	LARGE_WRITE,
	LOCKS,
	MEMORY,
	NOTIFY,
	SEQUENCE_READ,
	SEQUENCE_WRITE,
	SESSION,
	SESSIONS,
	SETTINGS,
	SLEEP,
	SQL_TEXT,
	STATISTICS,
	TYPE_INPUT,
	XID
};

static const char *const reasons[] = {
	[NONE] = "it is volatile: what it does cannot be known from its name",
	[ADMIN] = "it administers the server",
	[CONFIG] = "it shows the server's configuration files",
	[END_SESSIONS] = "it acts on other sessions",
	[EXTENSION] = "it reads pages or files, reaches other servers or administers this one",
	[FILES] = "it reaches files of the server",
	[LARGE_READ] = "it reads large objects",
	[LARGE_WRITE] = "it changes large objects",
	[LOCKS] = "it takes or gives back advisory locks",
	[MEMORY] = "it shows the server's memory",
	[NOTIFY] = "it notifies other sessions",
	[SEQUENCE_READ] = "it shows values of sequences",
	[SEQUENCE_WRITE] = "it changes a sequence",
	[SESSION] = "it changes the state of the session",
	[SESSIONS] = "it shows what other sessions do",
	[SETTINGS] = "it changes settings",
	[SLEEP] = "it only waits",
	[SQL_TEXT] = "it runs SQL that it gets as text, or reads what its arguments name",
	[STATISTICS] = "it shows values of columns from the planner's statistics",
	[TYPE_INPUT] = "it makes values of any type, and runs the checks of domains",
	[XID] = "it assigns a transaction number",
};

struct function_row {
	const char *name;
	char volatility[4];  /* of its overloads: some of "isv" */
	uint8_t least, most; /* arguments; most 127: variadic */
	uint32_t about;      /* argument counts that the verdict is about, a bit each; 0: all */
	enum function_verdict verdict;
	enum reason reason;
};

struct extension_row {
	const char *extension;
	struct function_row function;
};

static const struct function_row pg_catalog[] = {
#define BUILTIN_PG_CATALOG
#include "functions_builtin.inc"
#undef BUILTIN_PG_CATALOG
};

static const struct function_row information_schema[] = {
#define BUILTIN_INFORMATION_SCHEMA
#include "functions_builtin.inc"
#undef BUILTIN_INFORMATION_SCHEMA
};

static const struct extension_row extensions[] = {
#define EXTENSION_FUNCTIONS
#include "functions_extension.inc"
#undef EXTENSION_FUNCTIONS
};

struct call {
	const char *schema; /* NULL: unqualified */
	const char *name;
	int nargs; /* -1: unknown */
};

static const char unnamed[] = "it is not a built-in function, and the policy does not name it";

static int
compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct function_row *)row)->name);
}

static bool
takes(const struct function_row *row, int nargs)
{
	return nargs < 0 || (nargs >= row->least && nargs <= row->most);
}

/* NULL: no built-in. With a number of arguments that no overload takes, it is a function of somebody's own. */
static const struct function_row *
builtin_find(const struct call *c)
{
	const struct function_row *row = NULL;

	if (c->schema == NULL || strcmp(c->schema, "pg_catalog") == 0)
		row = bsearch(c->name, pg_catalog, nitems(pg_catalog), sizeof(pg_catalog[0]), compare);
	else if (strcmp(c->schema, "information_schema") == 0)
		row = bsearch(c->name, information_schema, nitems(information_schema), sizeof(information_schema[0]), compare);
	return row != NULL && takes(row, c->nargs) ? row : NULL;
}

/* The first row of that name; rows of one name stand together, one an extension. */
static const struct extension_row *
extension_first(const char *name)
{
	size_t low = 0, high = nitems(extensions), middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(extensions[middle].function.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nitems(extensions) && strcmp(extensions[low].function.name, name) == 0 ? &extensions[low] : NULL;
}

static const struct extension_row *
extension_next(const struct extension_row *row)
{
	const struct extension_row *next = row + 1;

	return next < extensions + nitems(extensions) && strcmp(next->function.name, row->function.name) == 0 ? next : NULL;
}

bool
extension_known(const char *name)
{
	for (size_t i = 0; i < nitems(extensions); i++)
		if (strcmp(extensions[i].extension, name) == 0)
			return true;
	return false;
}

bool
builtin_makes_types(const char *name)
{
	const struct function_row *row = bsearch(name, pg_catalog, nitems(pg_catalog), sizeof(pg_catalog[0]), compare);

	return row != NULL && row->reason == TYPE_INPUT;
}

/* OPEN and HARMLESS answer OPEN: nothing speaks against a call with that many arguments. */
static enum function_verdict
verdict_for(const struct function_row *row, int nargs)
{
	if (row->verdict == HARMLESS || row->verdict == OPEN)
		return OPEN;
	if (row->about == 0 || nargs < 0)
		return row->verdict;
	return nargs < 32 && (row->about >> nargs & 1) != 0 ? row->verdict : OPEN;
}

static enum curated
curated_as(const struct function_row *row, int nargs)
{
	switch (row->verdict) {
	case OPEN:
		return CURATED_OPEN;
	case HARMLESS:
		return CURATED_HARMLESS;
	case VOLATILE:
		return verdict_for(row, nargs) == OPEN ? CURATED_OPEN : CURATED_VOLATILE;
	case REFUSED:
		break;
	}
	return verdict_for(row, nargs) == OPEN ? CURATED_OPEN : CURATED_REFUSED;
}

enum curated
extension_function(const char *extension, const char *name, int nargs, const char **why)
{
	enum curated worst = CURATED_NONE;

	for (const struct extension_row *row = extension_first(name); row != NULL; row = extension_next(row)) {
		enum curated answer;

		if ((extension != NULL && strcmp(row->extension, extension) != 0) || !takes(&row->function, nargs))
			continue;
		answer = curated_as(&row->function, nargs);
		if (answer > worst) {
			worst = answer;
			*why = reasons[row->function.reason];
		}
	}
	return worst;
}

static bool
has_glob(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

static bool
in_search_path(const struct profile *p, const char *pattern)
{
	for (size_t i = 0; i < p->search_path.n; i++)
		if (glob_match(pattern, p->search_path.items[i]))
			return true;
	return false;
}

/* Where could the call lead, as far as the pattern's schema is concerned? An unqualified built-in is pg_catalog's;
 * another unqualified name is looked for along the search path, and without the catalog any place will do. */
static bool
schema_fits(const struct profile *p, const struct function_pattern *f, const struct call *c, bool builtin)
{
	if (f->schema == NULL)
		return true;
	if (c->schema != NULL)
		return glob_match(f->schema, c->schema);
	return builtin ? glob_match(f->schema, "pg_catalog") : in_search_path(p, f->schema);
}

static bool
of_extension(const char *extension, const struct call *c)
{
	for (const struct extension_row *row = extension_first(c->name); row != NULL; row = extension_next(row))
		if (strcmp(row->extension, extension) == 0 && takes(&row->function, c->nargs))
			return true;
	return false;
}

static bool
denied(const struct profile *p, const struct call *c, bool builtin)
{
	for (size_t i = 0; i < p->nfunctions_deny; i++) {
		const struct function_pattern *f = &p->functions_deny[i];

		if (f->extension != NULL) {
			if (!builtin && of_extension(f->extension, c))
				return true;
			continue;
		}
		/* What is not known for certain counts as denied: an unknown number of arguments, and an unqualified
		 * name that a denied schema on the search path could answer. */
		if (glob_match(f->name, c->name) && (f->nargs < 0 || c->nargs < 0 || f->nargs == c->nargs) &&
		    (schema_fits(p, f, c, builtin) || (c->schema == NULL && in_search_path(p, f->schema))))
			return true;
	}
	return false;
}

/* exactly: a glob in the name does not open it. */
static bool
allowed(const struct profile *p, const struct call *c, bool builtin, bool exactly)
{
	for (size_t i = 0; i < p->nfunctions_allow; i++) {
		const struct function_pattern *f = &p->functions_allow[i];

		if (f->extension != NULL || (exactly && has_glob(f->name)))
			continue;
		if (glob_match(f->name, c->name) && (f->nargs < 0 || f->nargs == c->nargs) && schema_fits(p, f, c, builtin))
			return true;
	}
	return false;
}

static bool
extension_allowed(const struct profile *p, const char *extension)
{
	for (size_t i = 0; i < p->nfunctions_allow; i++)
		if (p->functions_allow[i].extension != NULL && strcmp(p->functions_allow[i].extension, extension) == 0)
			return true;
	return false;
}

static enum function_answer
judge_builtin(const struct profile *p, const struct call *c, const struct function_row *row, const char **why)
{
	enum function_verdict verdict = verdict_for(row, c->nargs);

	if (verdict == OPEN || allowed(p, c, true, verdict == REFUSED))
		return FUNCTION_OPEN;
	if (verdict == VOLATILE && p->volatile_allow)
		return FUNCTION_OPEN;
	*why = reasons[row->reason];
	return verdict == VOLATILE ? FUNCTION_VOLATILE : FUNCTION_DENIED;
}

/* A name that some contrib extension gives to a function that we refuse stays refused unless it is named: whether this
 * one is the extension's cannot be seen from here. */
static enum function_answer
judge_user(const struct profile *p, const struct call *c, const char **why)
{
	const struct function_row *worst = NULL;
	bool in_allowed = false;

	for (const struct extension_row *row = extension_first(c->name); row != NULL; row = extension_next(row)) {
		enum function_verdict verdict = verdict_for(&row->function, c->nargs);

		if (!takes(&row->function, c->nargs))
			continue;
		if (verdict != OPEN && (worst == NULL || worst->verdict < verdict))
			worst = &row->function;
		in_allowed |= extension_allowed(p, row->extension);
	}
	if (allowed(p, c, false, worst != NULL && worst->verdict == REFUSED))
		return FUNCTION_OPEN;
	if (worst == NULL && (in_allowed || p->user_defined_allow))
		return FUNCTION_OPEN;
	if (worst != NULL && worst->verdict == VOLATILE && p->volatile_allow && (in_allowed || p->user_defined_allow))
		return FUNCTION_OPEN;
	*why = worst != NULL ? reasons[worst->reason] : unnamed;
	return worst != NULL && worst->verdict == VOLATILE && in_allowed ? FUNCTION_VOLATILE : FUNCTION_USER;
}

enum function_answer
profile_function(const struct profile *p, const char *schema, const char *name, int nargs, const char **why)
{
	struct call c = { schema != NULL && *schema != '\0' ? schema : NULL, name, nargs };
	const struct function_row *row = builtin_find(&c);
	const char *ignored;

	if (why == NULL)
		why = &ignored;
	*why = "";
	if (denied(p, &c, row != NULL)) {
		*why = "the policy's functions.deny names it";
		return FUNCTION_DENIED;
	}
	return row != NULL ? judge_builtin(p, &c, row, why) : judge_user(p, &c, why);
}

bool
profile_attribute_refused(const struct profile *p, const char *name)
{
	struct call c = { NULL, name, 1 };

	if (strcmp(name, "current_setting") == 0) /* open by its name alone, but the name of the setting is a value here */
		return true;
	if (builtin_find(&c) != NULL || denied(p, &c, false))
		return profile_function(p, NULL, name, 1, NULL) != FUNCTION_OPEN;
	for (const struct extension_row *row = extension_first(name); row != NULL; row = extension_next(row))
		if (takes(&row->function, 1) && verdict_for(&row->function, 1) != OPEN)
			return profile_function(p, NULL, name, 1, NULL) != FUNCTION_OPEN;
	return false;
}
