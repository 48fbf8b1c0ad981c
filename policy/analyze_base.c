/* policy/analyze_base.c - memory, refusals, and what types.c reports. */
#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>

/* --- memory ---------------------------------------------------------------- */

#define BLOCK_BYTES ((size_t)32 << 10)

static void *
take(uint8_t *from, size_t *used, size_t room, size_t size)
{
	uint8_t *p = from + *used;

	if (size > room - *used)
		return NULL;
	*used += size;
	return memset(p, 0, size);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (b == NULL && (p = take(a->first, &a->used, sizeof(a->first), size)) != NULL)
		return p;
	if (b != NULL && (p = take((uint8_t *)(b + 1), &b->used, b->room, size)) != NULL)
		return p;
	b = xmalloc(sizeof(*b) + (size > BLOCK_BYTES ? size : BLOCK_BYTES));
	*b = (struct arena_block){ .next = a->blocks, .room = size > BLOCK_BYTES ? size : BLOCK_BYTES };
	a->blocks = b;
	return take((uint8_t *)(b + 1), &b->used, b->room, size);
}

void
arena_release(struct arena *a)
{
	struct arena_block *next;

	for (struct arena_block *b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
}

/* --- refusals ---------------------------------------------------------------- */

void
stop(struct analyzer *a, enum rule rule, int location, const char *fmt, ...)
{
	struct err text = { "" };
	va_list ap;

	if (a->failed)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	refuse(a->refusal, rule, location >= 0 ? location : a->place, "%s", text.text);
	a->failed = true;
}

void
stop_unknown(struct analyzer *a, const char *sqlstate, int location, const char *fmt, ...)
{
	struct err text = { "" };
	va_list ap;

	if (a->failed)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	refuse(a->refusal, RULE_UNKNOWN_OBJECT, location >= 0 ? location : a->place, "%s", text.text);
	a->refusal->sqlstate = sqlstate;
	a->failed = true;
	a->unknown = true;
}

bool
enter(struct analyzer *a, int location)
{
	if (a->failed)
		return false;
	if (location >= 0)
		a->place = location;
	if (a->unsettled > ANALYZE_UNSETTLED_MAX) {
		stop(a, RULE_TOO_DEEP, location,
		    "this statement refused: more than %d operators and calls of it have operands without a type; cast them",
		    ANALYZE_UNSETTLED_MAX);
		return false;
	}
	if (a->depth >= a->max_depth) {
		stop(a, RULE_TOO_DEEP, location, "this statement refused: it is nested too deeply");
		return false;
	}
	a->depth++;
	return true;
}

void
leave(struct analyzer *a)
{
	a->depth--;
}

bool
in_ours(const struct analyzer *a, int location)
{
	size_t low = 0, high = a->nours;

	if (location < 0)
		location = a->place;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (a->ours[middle].to <= location)
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->nours && a->ours[low].from <= location;
}

/* --- words --------------------------------------------------------------------- */

const char *
name_at(const List *list, int i)
{
	const Node *n;

	if (list == NIL || i >= list->length)
		return "";
	n = list->elements[list->length - 1 - i].ptr_value;
	return n != NULL && IsA(n, String) ? ((const String *)n)->sval : "";
}

const char *
type_words(const struct analyzer *a, uint32_t oid, struct type_label *l)
{
	const struct cat_type *t = oid != TYPE_ANY ? catalog_type_of(a->catalog, oid) : NULL;
	const char *schema;

	l->text[0] = '\0';
	if (t == NULL)
		return l->text;
	if (t->element != 0 && t->element != oid && t->name[0] == '_') {
		type_words(a, t->element, l);
		if (l->text[0] != '\0' && strlen(l->text) + 3 < sizeof(l->text))
			memcpy(l->text + strlen(l->text), "[]", 3);
		return l->text;
	}
	schema = t->oid < FIRST_USER_OID ? "" : catalog_schema_name(a->catalog, t->namespace);
	(void)snprintf(l->text, sizeof(l->text), "%.63s%s%.63s", schema, *schema != '\0' ? "." : "", t->name);
	return l->text;
}

static const char *
function_words(const struct analyzer *a, const struct cat_function *f, struct type_label *l)
{
	const char *schema = f->oid < FIRST_USER_OID ? "" : catalog_schema_name(a->catalog, f->namespace);

	(void)snprintf(l->text, sizeof(l->text), "%.63s%s%.63s", schema, *schema != '\0' ? "." : "", f->name);
	return l->text;
}

void
at_other(struct analyzer *a, const char *what, int location)
{
	a->at = (struct construct){ .kind = CONSTRUCT_OTHER, .what = what, .location = location };
}

/* --- functions that run ----------------------------------------------------------- */

static void
refuse_call(struct analyzer *a, const struct cat_function *f, enum function_answer answer, const char *why)
{
	static const char *const reasons[] = {
		[FUNCTION_DENIED] = "it is denied",
		[FUNCTION_VOLATILE] = "it is volatile, so it may change something",
		[FUNCTION_USER] = "it is not built in, and the policy does not name it",
	};
	struct type_label l;

	stop(a, RULE_FUNCTION_DENIED, a->at.location, "call of %s refused: %s", function_words(a, f, &l),
	    why != NULL && *why != '\0' ? why : reasons[answer]);
}

static void
refuse_reached(struct analyzer *a, const struct cat_function *f)
{
	const struct construct *at = &a->at;
	struct type_label l, type;
	const char *function = function_words(a, f, &l);

	switch (at->kind) {
	case CONSTRUCT_CALL:
		stop(a, RULE_FUNCTION_DENIED, at->location, "call of %s refused: it runs %s, which is not allowed", at->name,
		    function);
		break;
	case CONSTRUCT_OPERATOR:
		stop(a, RULE_FUNCTION_DENIED, at->location, "operator %s refused: it runs %s, which is not allowed", at->name,
		    function);
		break;
	case CONSTRUCT_COMPARE:
		if (at->type == TYPE_ANY)
			stop(a, RULE_FUNCTION_DENIED, at->location,
			    "%s refused: the type of what is compared is not known, and could run %s, which is not allowed",
			    at->what, function);
		stop(a, RULE_FUNCTION_DENIED, at->location, "%s refused: comparing values of type %s runs %s, which is not allowed",
		    at->what, type_words(a, at->type, &type), function);
		break;
	case CONSTRUCT_OTHER:
		stop(a, RULE_FUNCTION_DENIED, at->location, "%s refused: it runs %s, which is not allowed", at->what, function);
		break;
	}
}

/* Is it the function of an operator of that name, and no cast on the way to it? */
static bool
is_operators(const struct analyzer *a, const struct cat_function *f)
{
	size_t n = 0;
	const struct cat_operator *const *list = catalog_operators_named(a->catalog, a->at.name, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i]->function == f->oid)
			return true;
	return false;
}

/* The walk judges what it sets, as SET. */
static bool
is_set_config(const struct cat_function *f)
{
	return f->oid < FIRST_USER_OID && strcmp(f->name, "set_config") == 0;
}

/* Arguments that are left out are computed by the function's owner's words. */
static void
judge_defaults(struct analyzer *a, const struct cat_function *f)
{
	struct body body = { .trusted_functions = false, .nesting = a->body != NULL ? a->body->nesting + 1 : 1 };
	struct parser parser = { NULL }; /* the one that is open */
	struct refusal r = { 0 };
	struct sb sql = { 0 };
	struct type_label l;

	sb_fmt(&sql, "SELECT %s", f->defaults);
	body.sql = sb_text(&sql);
	if (body.nesting > ANALYZE_NESTING_MAX)
		stop(a, RULE_FUNCTION_DENIED, a->at.location, "call of %s refused: its default arguments lead too far",
		    function_words(a, f, &l));
	else if (sql.bad || !analyze_body(a->rights, &parser, &body, &r))
		stop(a, RULE_FUNCTION_DENIED, a->at.location, "call of %s refused: the default of an argument: %.400s",
		    function_words(a, f, &l), r.message != NULL ? r.message : "too long");
	refusal_release(&r);
	sb_free(&sql);
}

#define REACHED_MAX 1000

static void
note_reached(struct analysis *out, const struct cat_function *f)
{
	for (size_t i = out->nreached; i > 0 && i + 32 > out->nreached; i--)
		if (out->reached[i - 1] == f)
			return;
	if (out->nreached == REACHED_MAX)
		return;
	if (out->nreached == out->reached_room) {
		out->reached_room = out->reached_room == 0 ? 8 : out->reached_room * 2;
		out->reached = xreallocarray(out->reached, out->reached_room, sizeof(*out->reached));
	}
	out->reached[out->nreached++] = f;
}

void
reach_function(void *arg, const struct cat_function *f)
{
	struct analyzer *a = arg;
	const struct construct *at = &a->at;
	const bool called = at->kind == CONSTRUCT_CALL && strcmp(f->name, at->name) == 0;
	enum function_answer answer;
	const char *why = NULL;
	int nargs = -1;

	if (a->failed || a->trusted)
		return;
	if (!called && f->oid < FIRST_USER_OID) {
		/* somebody's operator or cast for it: what it is given is not looked at there */
		if (a->body == NULL && judged_by_argument(f->name) && !in_ours(a, at->location))
			refuse_reached(a, f);
		return;
	}
	if (a->out != NULL && f->oid >= FIRST_USER_OID)
		note_reached(a->out, f);
	if (called)
		nargs = at->nargs;
	else if (at->kind == CONSTRUCT_OPERATOR && at->symbol && is_operators(a, f))
		nargs = f->nargs;
	answer = called && is_set_config(f) ? FUNCTION_OPEN : rights_function(a->rights, f, nargs, &why);
	if (answer != FUNCTION_OPEN) {
		if (in_ours(a, at->location)) {
			a->memo.excused = true;
			return;
		}
		if (called)
			refuse_call(a, f, answer, why);
		else
			refuse_reached(a, f);
	} else if (called && f->defaults != NULL && nargs < f->nargs && f->oid >= FIRST_USER_OID) {
		judge_defaults(a, f);
	}
}

void
reach_type(void *arg, const struct cat_type *t)
{
	struct analyzer *a = arg;
	struct type_label l;
	const char *why = NULL, *schema;

	if (a->failed || a->trusted || t->oid < FIRST_USER_OID || rights_type(a->rights, t, &why) || in_ours(a, a->at.location))
		return;
	schema = catalog_schema_name(a->catalog, t->namespace);
	if (!profile_schema_open(a->profile, schema))
		stop(a, RULE_SCHEMA_DENIED, a->at.location, "type %s refused: its schema is not open to this connection",
		    type_words(a, t->oid, &l));
	else
		stop(a, RULE_FUNCTION_DENIED, a->at.location, "type %s refused: %s", type_words(a, t->oid, &l),
		    why != NULL ? why : "making a value of it runs a function that is not allowed");
}
