/* policy/rights_function.c - may this function be called, or run where nothing in the text calls it?
 *
 * PostgreSQL's own are judged by their names, from the generated lists. For
 * the others the catalog says what they are, and the policy what is wanted:
 *
 *  - functions.allow names it, by name, by signature or by its extension; or
 *    user_defined is "allow"; or it is an aggregate all of whose functions
 *    are open; or it is reached without a call (a type's input function, an
 *    operator class, a body) and is C code that does not say it is volatile,
 *    which only a superuser can have made;
 *  - nothing denies it: functions.deny, its schema, the list of those that
 *    read files, run SQL and so on, which only their exact names open;
 *  - and under read_only it is not volatile, unless volatile is "allow", or
 *    the list calls it harmless, or it is C code that is named exactly.
 *
 * Arguments that the call leaves out are computed from the function's
 * defaults, so these are judged as bodies.
 */
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "rights_int.h"

enum naming { NOT_NAMED, NAMED_BY_GLOB, NAMED_EXACTLY };

static const char not_named[] = "it is not a built-in function, and the policy does not name it";
static const char in_denied[] = "the policy's functions.deny names it";
static const char closed_schema[] = "its schema is not open to this connection";
static const char is_volatile[] = "it is volatile, so it may change something, whatever the policy names";
static const char too_deep[] = "it leads through more functions and types than can be followed";

/* --- patterns --------------------------------------------------------------- */

static bool
has_glob(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

static bool
pattern_fits(const struct rights *r, const struct cat_function *f, const struct function_pattern *p, bool certain)
{
	if (p->extension != NULL)
		return f->extension != NULL && strcmp(p->extension, f->extension) == 0;
	if (!glob_match(p->name, f->name))
		return false;
	if (p->schema != NULL && !glob_match(p->schema, rights_schema(r, f->namespace)))
		return false;
	return p->signature == NULL || rights_signature(r, f, p, certain);
}

static enum naming
naming_of(const struct rights *r, const struct cat_function *f)
{
	enum naming best = NOT_NAMED;

	for (size_t i = 0; i < r->profile->nfunctions_allow; i++) {
		const struct function_pattern *p = &r->profile->functions_allow[i];

		if (!pattern_fits(r, f, p, true))
			continue;
		if (p->extension == NULL && !has_glob(p->name))
			return NAMED_EXACTLY;
		best = NAMED_BY_GLOB;
	}
	return best;
}

static bool
in_deny_list(const struct rights *r, const struct cat_function *f)
{
	for (size_t i = 0; i < r->profile->nfunctions_deny; i++)
		if (pattern_fits(r, f, &r->profile->functions_deny[i], false))
			return true;
	return false;
}

/* --- what it is -------------------------------------------------------------- */

static bool
is_builtin(const struct rights *r, const struct cat_function *f)
{
	const char *schema = rights_schema(r, f->namespace);

	return f->oid < FIRST_USER_OID && (strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0);
}

/* Written in C: only superusers make such. */
static bool
is_native(const struct cat_function *f)
{
	return f->language != NULL && (strcmp(f->language, "c") == 0 || strcmp(f->language, "internal") == 0);
}

/* What the lists know of contrib's functions. Native code without an extension may be one of them that was loaded by
 * hand; other code only has the name in common. */
static enum curated
curated(const struct cat_function *f, const char **why)
{
	if (f->extension == NULL && !is_native(f))
		return CURATED_NONE;
	return extension_function(f->extension, f->name, f->nargs, why);
}

/* --- parts -------------------------------------------------------------------- */

/* named: the aggregate is, so that its functions need no names of their own; but it is not said there what they do. */
static bool
support_open(struct rights *r, const struct cat_function *f, bool named)
{
	for (size_t i = 0; i < f->nsupport; i++) {
		const struct cat_function *part = catalog_function_of(r->catalog, f->support[i]);

		if (part == NULL)
			return false;
		if (named && !in_deny_list(r, part) &&
		    (part->volatility != 'v' || !r->profile->read_only || r->profile->volatile_allow))
			continue;
		if (part == f || rights_function(r, part, -1, NULL) != FUNCTION_OPEN)
			return false;
	}
	return true;
}

static bool
defaults_open(struct rights *r, const struct cat_function *f, int nargs, const char **why)
{
	struct sb sql = { 0 };
	struct body body = { 0 };
	struct err text = { "" };
	enum rule rule;
	bool good;

	if (f->ndefaults == 0 || f->defaults == NULL || nargs >= f->nargs)
		return true;
	sb_fmt(&sql, "SELECT %s", f->defaults);
	body.sql = sb_text(&sql);
	good = !sql.bad && rights_body(r, &body, true, &rule, &text);
	sb_free(&sql);
	if (!good) {
		struct err err;

		err_set(&err, "the default of an argument is not open: %.600s", text.text);
		*why = r->exhausted ? too_deep : rights_keep(r, err.text);
	}
	return good;
}

/* --- the answer ----------------------------------------------------------------- */

static enum function_answer
refused(enum function_answer answer, const char *reason, const char **why)
{
	*why = reason;
	return answer;
}

/* Does anything let it in? */
static bool
is_wanted(struct rights *r, const struct cat_function *f, enum naming naming, bool reached)
{
	if (naming != NOT_NAMED)
		return true;
	if (r->profile->user_defined_allow && profile_schema_open(r->profile, rights_schema(r, f->namespace)))
		return true;
	if (f->kind == 'a')
		return f->nsupport > 0 && support_open(r, f, false);
	return reached && is_native(f) && f->volatility != 'v';
}

static bool
may_be_volatile(const struct rights *r, const struct cat_function *f, enum naming naming, enum curated list)
{
	if (!r->profile->read_only || r->profile->volatile_allow || list == CURATED_HARMLESS)
		return true;
	return is_native(f) && naming == NAMED_EXACTLY;
}

static enum function_answer
judge_user(struct rights *r, const struct cat_function *f, int nargs, bool reached, const char **why)
{
	const enum naming naming = naming_of(r, f);
	const char *reason = not_named;
	const enum curated list = curated(f, &reason);

	if (in_deny_list(r, f))
		return refused(FUNCTION_DENIED, in_denied, why);
	if (profile_schema_denied(r->profile, rights_schema(r, f->namespace)))
		return refused(FUNCTION_DENIED, closed_schema, why);
	if (list == CURATED_REFUSED && naming != NAMED_EXACTLY)
		return refused(FUNCTION_DENIED, reason, why);
	if (!is_wanted(r, f, naming, reached))
		return refused(FUNCTION_USER, not_named, why);
	if (list == CURATED_VOLATILE && naming != NAMED_EXACTLY && !r->profile->volatile_allow)
		return refused(FUNCTION_VOLATILE, reason, why);
	if (f->volatility == 'v' && !may_be_volatile(r, f, naming, list))
		return refused(FUNCTION_VOLATILE, is_volatile, why);
	if (f->kind == 'a' && !support_open(r, f, true))
		return refused(FUNCTION_VOLATILE, "a function that the aggregate runs is volatile or denied", why);
	return defaults_open(r, f, nargs, why) ? FUNCTION_OPEN : FUNCTION_DENIED;
}

/* The number of arguments as written may fit none that the list knows (VARIADIC, WITHIN GROUP, a newer server); the name
 * alone then decides about what is not volatile. */
static enum function_answer
judge_builtin(const struct rights *r, const struct cat_function *f, int nargs, const char **why)
{
	const char *schema = rights_schema(r, f->namespace);
	enum function_answer answer;

	if (nargs < 0 && builtin_makes_types(f->name)) /* rights_type() judges these */
		return FUNCTION_OPEN;
	answer = profile_function(r->profile, schema, f->name, nargs < 0 ? f->nargs : nargs, why);
	if (answer != FUNCTION_USER || f->volatility == 'v')
		return answer;
	return profile_function(r->profile, schema, f->name, -1, why);
}

static enum function_answer
known(struct rights *r, uint32_t value, const char **why)
{
	if (value < FOUND) {
		rights_rely(r, (int)value - 1);
		return FUNCTION_OPEN;
	}
	*why = r->findings[value - FOUND].why;
	return r->findings[value - FOUND].answer;
}

static enum function_answer
find_out(struct rights *r, const struct cat_function *f, uint64_t key, int nargs, bool reached, const char **why)
{
	enum function_answer answer;
	bool final;

	if (!rights_enter(r))
		return refused(FUNCTION_DENIED, too_deep, why);
	memo_put(&r->functions, key, (uint32_t)r->depth);
	answer = judge_user(r, f, nargs, reached, why);
	final = rights_leave(r, answer == FUNCTION_OPEN);
	memo_put(&r->functions, key, final ? rights_found(r, answer, *why) : 0);
	return r->exhausted ? refused(FUNCTION_DENIED, too_deep, why) : answer;
}

enum function_answer
rights_function(struct rights *r, const struct cat_function *f, int nargs, const char **why)
{
	const bool reached = nargs < 0 || r->depth > 0; /* in a body it was not the client who called it */
	const char *ignored;
	enum function_answer answer;
	uint64_t key;
	uint32_t value;

	if (why == NULL)
		why = &ignored;
	*why = "";
	if (is_builtin(r, f))
		return judge_builtin(r, f, nargs, why);
	/* arguments beyond the declared ones make no difference */
	key = (uint64_t)f->oid << 32 | (nargs < 0 ? 0 : (uint32_t)(nargs < f->nargs ? nargs : f->nargs) + 1) << 1 | reached;
	if ((value = memo_get(&r->functions, key)) != 0)
		return known(r, value, why);
	do
		answer = find_out(r, f, key, nargs, reached, why);
	while (answer != FUNCTION_OPEN && rights_again(r));
	return answer;
}
