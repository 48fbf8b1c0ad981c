/* tests/fuzz/fuzz_analyze.c - the judge with a catalog.
 *
 * The first byte picks profile and protocol, the rest is the text; the catalog
 * is the fixture of the corpus. Public faces only: whatever is let through
 * must be let through twice in the same words, names nothing that is denied,
 * and reads what is hidden from by our subquery only, which is known by its
 * mask or its row filter.
 *
 * Runs in the repository's root, where the catalog is; FUZZ_CATALOG names
 * another dump of the fixture (the whole one has all of PostgreSQL's functions).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalog.h"
#include "policy.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CATALOG "tests/unit/data/analyze.catalog.json"
#define SECONDS_MAX 2.0 /* sanitizers and coverage included */

/* What stands in every text that reads what is hidden from, and what no client writes. */
#define MASK "'pgmoat fuzz mask'"
#define WHERE "'pgmoat fuzz filter'"

#define HIDES                                                                                                             \
	"\"schemas\": { \"deny\": [\"secret\"] }, \"tables\": { \"deny\": [\"public.payroll\"] },"                        \
	"\"columns\": [ { \"column\": \"public.users.ssn\", \"action\": \"deny\" },"                                      \
	"  { \"column\": \"public.users.email\", \"action\": \"mask\", \"mask\": \"expression\", \"expression\": \"" MASK \
	"\" } ],"                                                                                                         \
	"\"row_filters\": [ { \"table\": \"public.reviews\", \"where\": \"body <> " WHERE "\" } ],"

static const char *const sources[] = {
	"{ \"version\": 1, \"profiles\": { \"p\": { \"access_mode\": \"read_only\", " HIDES
	"  \"functions\": { \"allow\": [\"public.full_label(text,text)\", \"public.order_total(integer)\", \"extension:pg_trgm\"] "
	"},"
	"  \"limits\": { \"max_rows\": 10 } } }, \"default_profile\": \"p\" }",

	/* Writes too, and functions that the first one refuses. */
	"{ \"version\": 1, \"profiles\": { \"p\": { \"access_mode\": \"read_write\", \"multi_statement\": \"each\", " HIDES
	"  \"functions\": { \"volatile\": \"allow\", \"user_defined\": \"allow\" }, \"writes\": { \"mode\": \"allow\" },"
	"  \"limits\": { \"max_rows\": 10 } } }, \"default_profile\": \"p\" }",
};

static struct rights *rights[nitems(sources)];

static void
insist(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* Policies, catalog and rights live as long as the process; the leak checker sees them through the array. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sb errors = { 0 };
	struct err err = { "" };
	const char *path = getenv("FUZZ_CATALOG");
	struct catalog *c = catalog_load(path != NULL ? path : CATALOG, &err);

	(void)argc;
	(void)argv;
	insist(c != NULL, err.text);
	for (size_t i = 0; i < nitems(sources); i++) {
		struct policy *p = policy_parse("fuzz.json", sources[i], strlen(sources[i]), &errors);

		insist(p != NULL, sb_text(&errors));
		rights[i] = rights_new(p, policy_default_profile(p), c, NULL);
		policy_unref(p);
	}
	catalog_unref(c);
	return 0;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct judgement *
judge(struct rights *r, const char *text, size_t n, unsigned flags)
{
	double start = seconds();
	struct judgement *j = rights_judge(r, text, n, flags, NULL, 0);

	insist(seconds() - start < SECONDS_MAX, "a verdict comes in time");
	return j;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What was remembered of the first time must not change the second. */
static void
insist_same(const struct judgement *a, const struct judgement *b)
{
	insist(a->verdict == b->verdict && a->rule == b->rule && a->position == b->position, "a verdict is the same again");
	insist(same(a->message, b->message) && same(a->hint, b->hint), "its words are the same again");
	insist(same(a->rewritten, b->rewritten), "its rewrite is the same again");
	insist(a->guarded == b->guarded && a->nrelations == b->nrelations, "its facts are the same again");
}

static bool
names_relation(const struct judgement *j, const char *schema, const char *name, unsigned access)
{
	for (size_t i = 0; i < j->nrelations; i++) {
		const struct used_relation *u = &j->relations[i];

		if (strcmp(u->schema, schema) == 0 && (name == NULL || strcmp(u->name, name) == 0) && (u->access & access) != 0)
			return true;
	}
	return false;
}

/* Only a target that is written, and not read, may do without the subquery. */
static void
insist_hidden(const struct judgement *j)
{
	const char *forwarded = j->rewritten != NULL ? j->rewritten : "";

	insist(!names_relation(j, "secret", NULL, ACCESS_READ | ACCESS_WRITE), "a denied schema is not read");
	insist(!names_relation(j, "public", "payroll", ACCESS_READ | ACCESS_WRITE), "a denied table is not read");
	if (names_relation(j, "public", "users", ACCESS_READ) && !names_relation(j, "public", "users", ACCESS_WRITE)) {
		insist(j->guarded, "what is hidden is known to be");
		insist(strstr(forwarded, MASK) != NULL, "a masked column is masked");
	}
	if (names_relation(j, "public", "reviews", ACCESS_READ) && !names_relation(j, "public", "reviews", ACCESS_WRITE)) {
		insist(j->guarded, "what is filtered is known to be");
		insist(strstr(forwarded, WHERE) != NULL, "a row filter is there");
	}
}

/* The client's text may hold the word, as a string or a name of its own; our subquery never does. */
static void
insist_columns(const struct judgement *j)
{
	if (names_relation(j, "public", "users", ACCESS_READ) && strstr(j->text, "ssn") == NULL && j->rewritten != NULL)
		insist(strstr(j->rewritten, "\"ssn\"") == NULL, "a denied column is not in the subquery");
}

/* The forwarded text stands for the same statements, and is itself no way around
 * anything: judged as if the client had sent it, it may be refused for what
 * our subquery names (a denied column in a filter, a function of a mask), but it parses. */
static void
insist_rewrite(struct rights *r, const struct judgement *j, unsigned flags)
{
	struct judgement *again;

	insist(j->rewritten != NULL && strlen(j->rewritten) == j->rewritten_len, "a rewrite has a text");
	again = judge(r, j->rewritten, j->rewritten_len, flags);
	insist(again->rule != RULE_PARSE_ERROR, "a rewritten text parses");
	insist(again->verdict != VERDICT_BLOCK || (again->rule != RULE_TABLE_DENIED && again->rule != RULE_SCHEMA_DENIED),
	    "a rewritten text names nothing that is denied");
	if (again->verdict != VERDICT_BLOCK) {
		insist(again->nstatements == j->nstatements, "a rewrite keeps the number of statements");
		for (size_t i = 0; i < j->nstatements; i++)
			insist(again->statements[i].kind == j->statements[i].kind, "a rewrite keeps what statements are");
	}
	judgement_unref(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rights *r;
	struct judgement *j, *again;
	unsigned flags;
	char *text;

	if (n == 0 || memchr(data + 1, '\0', n - 1) != NULL) /* the protocol's readers refuse a NUL */
		return 0;
	r = rights[data[0] / 2 % nitems(rights)];
	flags = data[0] & 1 ? JUDGE_EXTENDED : JUDGE_SIMPLE;
	text = xmalloc(n); /* neither terminated nor longer than it is */
	memcpy(text, data + 1, n - 1);
	j = judge(r, text, n - 1, flags);
	again = judge(r, text, n - 1, flags);
	insist_same(j, again);
	if (j->verdict != VERDICT_BLOCK) {
		insist_hidden(j);
		insist_columns(j);
	}
	if (j->verdict == VERDICT_REWRITE)
		insist_rewrite(r, j, flags);
	judgement_unref(again);
	judgement_unref(j);
	free(text);
	return 0;
}
