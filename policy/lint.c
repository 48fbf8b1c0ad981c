/* policy/lint.c - finds what loads, but hardly means what it says. */
#include <stdlib.h>
#include <string.h>

#include "lint.h"

struct lint_finding {
	struct jsonc_place at;
	char *path, *message; /* owned */
	const char *check;
	size_t order;
};

bool
glob_covers(const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return true;
	if (strchr(a, '?') != NULL && strchr(b, '*') != NULL) /* ? takes one character, * may be none or many */
		return false;
	return glob_match(a, b);
}

/* --- findings -------------------------------------------------------------------- */

static void printf_like(5, 0) add(struct lint *l, const cJSON *at, struct sb *path, const char *check, const char *fmt, va_list ap)
{
	struct lint_finding *f;
	char message[1024];

	if (l->n == l->room) {
		l->room = l->room != 0 ? l->room * 2 : 16;
		l->findings = xreallocarray(l->findings, l->room, sizeof(l->findings[0]));
	}
	if (vsnprintf(message, sizeof(message), fmt, ap) < 0)
		message[0] = '\0';
	f = &l->findings[l->n];
	*f = (struct lint_finding){ .path = sb_take(path), .message = xstrdup(message), .check = check, .order = l->n };
	if (at != NULL)
		f->at = jsonc_at(l->doc, at);
	l->n++;
}

static const cJSON *
profile_json(const struct lint *l, const struct profile *p)
{
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(l->doc->root, "profiles"), p->name);
}

const cJSON *
lint_member(const struct lint *l, const struct profile *p, const char *dotted)
{
	const cJSON *v = profile_json(l, p);
	char key[64];

	while (v != NULL && *dotted != '\0') {
		size_t len = strcspn(dotted, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, dotted);
		v = cJSON_GetObjectItemCaseSensitive(v, key);
		dotted += len + (dotted[len] == '.');
	}
	return v;
}

void
lint_found(struct lint *l, const struct profile *p, const char *list, size_t i, const char *check, const char *fmt, ...)
{
	const cJSON *v = lint_member(l, p, list);
	struct sb path = { 0 };
	va_list ap;

	sb_fmt(&path, "profiles.%s.%s", p->name, list);
	if (i != LINT_MEMBER) {
		v = cJSON_GetArrayItem(v, (int)i);
		sb_fmt(&path, "[%zu]", i);
	}
	va_start(ap, fmt);
	add(l, v, &path, check, fmt, ap);
	va_end(ap);
}

void
lint_found_assign(struct lint *l, size_t i, const char *check, const char *fmt, ...)
{
	struct sb path = { 0 };
	va_list ap;

	sb_fmt(&path, "assign[%zu]", i);
	va_start(ap, fmt);
	add(l, cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(l->doc->root, "assign"), (int)i), &path, check, fmt, ap);
	va_end(ap);
}

void
lint_found_profile(struct lint *l, const struct profile *p, const char *check, const char *fmt, ...)
{
	struct sb path = { 0 };
	va_list ap;

	sb_fmt(&path, "profiles.%s", p->name);
	va_start(ap, fmt);
	add(l, profile_json(l, p), &path, check, fmt, ap);
	va_end(ap);
}

/* --- all of it ---------------------------------------------------------------------- */

static int
by_place(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void
report(struct lint *l, void (*f)(void *, const struct policy_finding *), void *arg)
{
	if (l->n > 0)
		qsort(l->findings, l->n, sizeof(l->findings[0]), by_place);
	for (size_t i = 0; i < l->n; i++) {
		const struct lint_finding *found = &l->findings[i];
		const struct policy_finding finding = { found->at.line, found->at.column, found->path, found->check,
			found->message };

		f(arg, &finding);
	}
	for (size_t i = 0; i < l->n; i++) {
		free(l->findings[i].path);
		free(l->findings[i].message);
	}
	free(l->findings);
}

bool
policy_lint(const char *name, const char *text, size_t len, struct catalog *catalog,
    void (*f)(void *arg, const struct policy_finding *), void *arg, struct sb *errors)
{
	struct policy *p = policy_parse(name, text, len, errors);
	struct lint l = { .policy = p, .catalog = catalog };
	struct sb again = { 0 };
	struct jsonc doc;

	if (p == NULL)
		return false;
	if (jsonc_parse(&doc, name, text, len, &again)) { /* as it did a moment ago */
		l.doc = &doc;
		lint_assignments(&l);
		for (size_t i = 0; i < p->nprofiles; i++) {
			lint_profile(&l, &p->profiles[i]);
			lint_columns(&l, &p->profiles[i]);
			if (catalog != NULL)
				lint_against_catalog(&l, &p->profiles[i]);
		}
		report(&l, f, arg);
	}
	jsonc_release(&doc);
	sb_free(&again);
	policy_unref(p);
	return true;
}
