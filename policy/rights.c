/* policy/rights.c - the life of a struct rights, its search path and its frames. */
#include <ctype.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "patterns.h"
#include "rights_int.h"

static uint64_t
next_generation(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

/* --- the search path ------------------------------------------------------ */

static void
path_add(struct rights *r, const char *name)
{
	const struct cat_namespace *ns = catalog_namespace_named(r->catalog, name);

	if (ns == NULL)
		return;
	for (size_t i = 0; i < r->npath; i++)
		if (r->path[i] == ns->oid)
			return;
	r->path = xreallocarray(r->path, r->npath + 1, sizeof(r->path[0]));
	r->path[r->npath++] = ns->oid;
}

/* One identifier of the list; text moves behind it and the blanks after it. False: it is none. */
static bool
read_identifier(const char **text, struct sb *name)
{
	const char *s = *text;
	const bool quoted = *s == '"';

	sb_clear(name);
	if (quoted) {
		for (s++; *s != '\0'; s++) {
			if (*s == '"' && *++s != '"')
				break;
			sb_char(name, *s);
		}
	} else {
		for (; *s != '\0' && *s != ',' && !isspace((unsigned char)*s); s++)
			sb_char(name, (char)((unsigned char)*s < 0x80 ? tolower((unsigned char)*s) : *s));
	}
	if (quoted && s[-1] != '"')
		return false;
	while (isspace((unsigned char)*s))
		s++;
	*text = s;
	return quoted || name->len > 0;
}

/* What the server shows as search_path: names between commas, in double quotes where they need them. A text that is
 * no such list leaves the path as it is: the server would not have taken it, either. */
static void
path_parse(struct rights *r, const char *text)
{
	struct sb name = { 0 };

	while (isspace((unsigned char)*text))
		text++;
	while (*text != '\0' && read_identifier(&text, &name)) {
		if (name.len <= IDENTIFIER_MAX && strcmp(sb_text(&name), "$user") != 0)
			path_add(r, sb_text(&name));
		if (*text != ',')
			break;
		for (text++; isspace((unsigned char)*text);)
			text++;
	}
	sb_free(&name);
}

/* pg_catalog is searched first unless the path says where. "$user" is left out: which user the server knows is not
 * known here, and a schema of its name would come before those that were judged. */
static void
path_make(struct rights *r, const char *text)
{
	const struct cat_namespace *ns = catalog_namespace_named(r->catalog, "pg_catalog");
	bool written = false;

	if (text != NULL)
		path_parse(r, text);
	else
		for (size_t i = 0; i < r->profile->search_path.n; i++)
			path_add(r, r->profile->search_path.items[i]);
	for (size_t i = 0; ns != NULL && i < r->npath; i++)
		written |= r->path[i] == ns->oid;
	if (ns == NULL || written)
		return;
	r->path = xreallocarray(r->path, r->npath + 1, sizeof(r->path[0]));
	memmove(r->path + 1, r->path, r->npath * sizeof(r->path[0]));
	r->path[0] = ns->oid;
	r->npath++;
}

/* --- life ------------------------------------------------------------------ */

struct rights *
rights_new(struct policy *policy, const struct profile *profile, struct catalog *catalog, const char *search_path)
{
	struct rights *r = xcalloc(1, sizeof(*r));

	r->refs = 1;
	r->generation = next_generation();
	r->policy = policy_ref(policy);
	r->profile = profile;
	r->relied = INT_MAX;
	if (catalog != NULL) {
		r->catalog = catalog_ref(catalog);
		path_make(r, search_path);
	}
	return r;
}

struct rights *
rights_ref(struct rights *r)
{
	r->refs++;
	return r;
}

static void
release_guarded(struct rights *r)
{
	for (size_t i = 0; i < r->nguarded; i++) {
		guard_free(r->guarded[i]->guard);
		free(r->guarded[i]);
	}
	free(r->guarded);
}

void
rights_unref(struct rights *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	for (size_t i = 0; i < RIGHTS_SLOTS; i++)
		free(r->standings[i]);
	for (size_t i = 0; i < RESTRICTED_LISTS; i++)
		free(r->restricted[i].oids);
	for (size_t i = 0; i < r->nkept; i++)
		free(r->kept[i]);
	for (size_t i = 0; i < r->ndenials; i++)
		free(r->denials[i]);
	release_guarded(r);
	memo_free(&r->guards);
	memo_free(&r->functions);
	memo_free(&r->types);
	free(r->kept);
	free(r->denials);
	free(r->findings);
	free(r->path);
	catalog_unref(r->catalog);
	policy_unref(r->policy);
	free(r);
}

void
rights_unbound(struct rights *r)
{
	r->unbound = true;
}

uint64_t
rights_generation(const struct rights *r)
{
	return r->generation;
}

const struct catalog *
rights_catalog(const struct rights *r)
{
	return r->catalog;
}

const struct profile *
rights_profile(const struct rights *r)
{
	return r->profile;
}

const struct policy *
rights_policy(const struct rights *r)
{
	return r->policy;
}

const uint32_t *
rights_path(const struct rights *r, size_t *n)
{
	*n = r->npath;
	return r->path;
}

void
rights_set_parser(struct rights *r, struct parser *parser)
{
	r->parser = parser;
}

const struct cat_relation *
rights_find_relation(const struct rights *r, const char *schema, const char *name)
{
	const struct cat_relation *rel = NULL;
	const struct cat_namespace *ns;

	if (r->catalog == NULL)
		return NULL;
	if (schema != NULL && *schema != '\0') {
		ns = catalog_namespace_named(r->catalog, schema);
		return ns != NULL ? catalog_relation_named(r->catalog, ns->oid, name) : NULL;
	}
	for (size_t i = 0; i < r->npath && rel == NULL; i++)
		rel = catalog_relation_named(r->catalog, r->path[i], name);
	return rel;
}

/* --- frames ----------------------------------------------------------------- */

/* Bodies nest in bodies, and each may be as deep as an expression can be. */
static bool
stack_used_up(const struct rights *r)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return (here < r->stack ? r->stack - here : here - r->stack) > RIGHTS_STACK_MAX;
}

bool
rights_enter(struct rights *r)
{
	if (r->depth == 0) {
		r->stack = (uintptr_t)__builtin_frame_address(0);
		r->steps = 0;
		r->relied = INT_MAX;
		r->exhausted = r->wants_lists = false;
	}
	if (r->depth == RIGHTS_DEPTH_MAX || r->steps == RIGHTS_STEPS_MAX || stack_used_up(r)) {
		r->exhausted = true;
		return false;
	}
	r->steps++;
	r->frames[r->depth++] = (struct relation_rights){ .standing = STANDING_OPEN };
	return true;
}

bool
rights_leave(struct rights *r, bool open)
{
	const int frame = --r->depth;
	const bool final = !open || r->relied >= frame;

	if (r->relied >= frame) /* on itself, or on nothing */
		r->relied = INT_MAX;
	return final && !r->exhausted;
}

void
rights_rely(struct rights *r, int frame)
{
	if (frame < r->relied)
		r->relied = frame;
}

bool
rights_again(struct rights *r)
{
	size_t n;

	if (r->depth > 0 || !r->wants_lists || r->listed)
		return false;
	rights_restricted(r, RESTRICTED_RELATIONS, &n);
	return true;
}

/* --- what lives as long as the rights ----------------------------------------- */

const char *
rights_keep(struct rights *r, const char *text)
{
	r->kept = xreallocarray(r->kept, r->nkept + 1, sizeof(r->kept[0]));
	return r->kept[r->nkept++] = xstrdup(text);
}

uint32_t
rights_found(struct rights *r, enum function_answer answer, const char *why)
{
	r->findings = xreallocarray(r->findings, r->nfindings + 1, sizeof(r->findings[0]));
	r->findings[r->nfindings] = (struct finding){ answer, why };
	return FOUND + (uint32_t)r->nfindings++;
}

/* --- names --------------------------------------------------------------------- */

const char *
rights_schema(const struct rights *r, uint32_t namespace)
{
	return catalog_schema_name(r->catalog, namespace);
}

static void
append_quoted(struct sb *sb, const char *name)
{
	sb_char(sb, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"')
			sb_char(sb, '"');
		sb_char(sb, *name);
	}
	sb_char(sb, '"');
}

void
append_name(struct sb *sb, const char *schema, const char *name)
{
	append_quoted(sb, schema);
	sb_char(sb, '.');
	append_quoted(sb, name);
}

bool
is_system_relation(const struct rights *r, const struct cat_relation *rel)
{
	const char *schema = rights_schema(r, rel->namespace);

	return rel->oid < FIRST_USER_OID && (strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0);
}
