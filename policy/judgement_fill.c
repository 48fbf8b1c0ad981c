/* policy/judgement_fill.c - what outlives the parse tree: names for the audit
 * trail and for the table of a session's names.
 */
#include "judgement.h"

#include <stdlib.h>
#include <string.h>

static size_t
count_facts(const struct facts *f, enum fact_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->items[i].type == type;
	return n;
}

static void
fill_statements(struct judgement *j, const struct facts *f)
{
	j->nstatements = f->nstatements;
	if (f->nstatements == 0)
		return;
	j->statements = xcalloc(f->nstatements, sizeof(*j->statements));
	for (size_t i = 0; i < f->nstatements; i++) {
		j->statements[i] = f->statements[i].is;
		if (f->statements[i].name != NULL)
			j->statements[i].name = xstrdup(f->statements[i].name);
	}
}

/* --- relations ------------------------------------------------------------ */

static int
compare_relations(const void *a, const void *b)
{
	const struct used_relation *x = a, *y = b;
	const int by_schema = strcmp(x->schema, y->schema);

	return by_schema != 0 ? by_schema : strcmp(x->name, y->name);
}

/* users and public.users are one, its access is what both do. */
static void
merge_relations(struct judgement *j)
{
	size_t n = 0;

	qsort(j->relations, j->nrelations, sizeof(*j->relations), compare_relations);
	for (size_t i = 0; i < j->nrelations; i++) {
		if (n > 0 && compare_relations(&j->relations[n - 1], &j->relations[i]) == 0) {
			j->relations[n - 1].access |= j->relations[i].access;
			free(j->relations[i].schema);
			free(j->relations[i].name);
		} else {
			j->relations[n++] = j->relations[i];
		}
	}
	j->nrelations = n;
}

/* The schema that the name is resolved to. */
static const char *
schema_of(const struct fact *a, const struct profile *p, const struct rights *rights)
{
	const struct cat_relation *rel = rights != NULL ? rights_find_relation(rights, a->schema, a->name) : NULL;
	const char *schema = a->schema;

	if (rel != NULL)
		return catalog_schema_name(rights_catalog(rights), rel->namespace);
	if (*schema == '\0')
		(void)profile_relation(p, "", a->name, (unsigned)a->number, &schema);
	return schema != NULL ? schema : "";
}

/* Parts of it are hidden, whether they are asked for or not. */
static bool
is_guarded(const struct fact *a, struct rights *rights)
{
	const struct cat_relation *rel = rights_find_relation(rights, a->schema, a->name);

	return rel != NULL && rights_relation(rights, rel, (unsigned)a->number, a->only)->standing == STANDING_GUARDED;
}

static void
fill_relations(struct judgement *j, const struct facts *f, const struct profile *p, struct rights *rights)
{
	const size_t n = count_facts(f, FACT_RELATION);

	if (n == 0)
		return;
	j->relations = xcalloc(n, sizeof(*j->relations));
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *a = &f->items[i];

		if (a->type != FACT_RELATION)
			continue;
		j->relations[j->nrelations++] = (struct used_relation){
			.schema = xstrdup(schema_of(a, p, rights)), .name = xstrdup(a->name), .access = (unsigned)a->number
		};
		j->guarded |= rights != NULL && is_guarded(a, rights);
	}
	if (j->nrelations > 1)
		merge_relations(j);
}

/* --- functions and settings ------------------------------------------------ */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t
merge_strings(char **strings, size_t n)
{
	size_t kept = 0;

	qsort(strings, n, sizeof(*strings), compare_strings);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && strcmp(strings[kept - 1], strings[i]) == 0)
			free(strings[i]);
		else
			strings[kept++] = strings[i];
	}
	return kept;
}

static char *
qualified_name(const struct fact *a)
{
	struct sb sb = { 0 };

	if (*a->schema == '\0')
		return xstrdup(a->name);
	sb_fmt(&sb, "%s.%s", a->schema, a->name);
	return sb_take(&sb);
}

static char **
names_of(const struct facts *f, enum fact_type type, enum fact_type also, size_t *n)
{
	const size_t max = count_facts(f, type) + (also != type ? count_facts(f, also) : 0);
	char **names;

	*n = 0;
	if (max == 0)
		return NULL;
	names = xcalloc(max, sizeof(*names));
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].type == type || f->items[i].type == also)
			names[(*n)++] = qualified_name(&f->items[i]);
	*n = merge_strings(names, *n);
	return names;
}

static void
fill_bound(struct judgement *j, const struct facts *f)
{
	const size_t n = count_facts(f, FACT_BOUND);

	if (n == 0)
		return;
	j->bound_settings = xcalloc(n, sizeof(*j->bound_settings));
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *a = &f->items[i];

		if (a->type == FACT_BOUND)
			j->bound_settings[j->nbound_settings++] = (struct bound_setting){ .name_param = (unsigned)a->number,
				.value_param = (unsigned)a->value_number,
				.name = a->number == 0 ? xstrdup(a->name) : NULL,
				.value = a->value_number == 0 ? xstrdup(a->value) : NULL };
	}
}

/* What may leave the catalog another than it was. */
static bool
is_definition(const struct fact *a)
{
	return a->type == FACT_ACT &&
	       (a->kind == KIND_DDL || a->kind == KIND_CALL || a->kind == KIND_DO || a->kind == KIND_UNKNOWN);
}

void
judgement_fill(struct judgement *j, const struct facts *f, const struct profile *p, struct rights *rights)
{
	fill_statements(j, f);
	fill_relations(j, f, p, rights);
	for (size_t i = 0; i < f->n; i++)
		j->changes_catalog |= is_definition(&f->items[i]);
	j->functions = names_of(f, FACT_FUNCTION, FACT_ATTRIBUTE, &j->nfunctions);
	j->settings = names_of(f, FACT_SETTING, FACT_SETTING, &j->nsettings);
	fill_bound(j, f);
}

void
judgement_reached(struct judgement *j, const struct analysis *a, const struct catalog *c)
{
	if (a->nreached == 0)
		return;
	j->reached = xcalloc(a->nreached, sizeof(*j->reached));
	for (size_t i = 0; i < a->nreached; i++) {
		struct sb sb = { 0 };

		sb_fmt(&sb, "%s.%s", catalog_schema_name(c, a->reached[i]->namespace), a->reached[i]->name);
		j->reached[i] = sb_take(&sb);
	}
	j->nreached = merge_strings(j->reached, a->nreached);
}

static void
free_strings(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

void
judgement_empty(struct judgement *j)
{
	for (size_t i = 0; i < j->nstatements; i++)
		free(j->statements[i].name);
	free(j->statements);
	for (size_t i = 0; i < j->nrelations; i++) {
		free(j->relations[i].schema);
		free(j->relations[i].name);
	}
	free(j->relations);
	free_strings(j->functions, j->nfunctions);
	free_strings(j->settings, j->nsettings);
	free_strings(j->reached, j->nreached);
	for (size_t i = 0; i < j->nbound_settings; i++) {
		free(j->bound_settings[i].name);
		free(j->bound_settings[i].value);
	}
	free(j->bound_settings);
}
