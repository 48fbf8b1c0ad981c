/* bench/verdict.c - what a verdict costs: nanoseconds of CPU, judged anew and found in the cache.
 *
 * verdict [CATALOG]: with a snapshot file the same statements are judged once
 * more, by what their names mean there; it must hold pgbench's and TPC-H's tables.
 *
 * Prints a Markdown table row for each statement. Takes the fastest of several
 * rounds, since whatever else the machine does only makes them slower.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "catalog.h"
#include "policy.h"

#define ROUNDS 7
#define ROUND_NS 100000000 /* how long a round should take, at least */
#define MEGABYTE ((size_t)1 << 20)

static const char pgbench_select[] = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";

static const char pgbench_prepared[] = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;";

static const char tpch_q2[] = "SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment "
			      "FROM part, supplier, partsupp, nation, region "
			      "WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS' "
			      "AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE' "
			      "AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region "
			      "WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey "
			      "AND n_regionkey = r_regionkey AND r_name = 'EUROPE') "
			      "ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100";

static const char refused[] = "UPDATE orders SET status = 'cancelled' WHERE status = 'pending'";

/* Lets the judge see all of a long text; the built-in policy stops at its length. */
static const char long_policy[] = "{ \"version\": 1, \"profiles\": { \"long\": { \"limits\": { \"max_query_bytes\": \"8MB\" } } }, "
				  "\"default_profile\": \"long\" }";

struct subject {
	struct rights *rights;
	struct cache *cache; /* NULL: judge anew */
	const char *text;
	size_t len;
};

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
judge(const struct subject *s)
{
	struct judgement *j;

	if (s->cache != NULL)
		j = cache_judge(s->cache, s->rights, s->text, s->len, JUDGE_SIMPLE, NULL, 0);
	else
		j = rights_judge(s->rights, s->text, s->len, JUDGE_SIMPLE, NULL, 0);
	judgement_unref(j);
}

static double
round_ns(const struct subject *s, int64_t times)
{
	int64_t start = cpu_ns();

	for (int64_t i = 0; i < times; i++)
		judge(s);
	return (double)(cpu_ns() - start) / (double)times;
}

static double
measure(const struct subject *s)
{
	double once = round_ns(s, 1), best, ns;
	int64_t times = once > 0 ? (int64_t)(ROUND_NS / once) : 1000;

	once = round_ns(s, times / 10 + 1); /* the first one was cold */
	times = (int64_t)(ROUND_NS / once) + 1;
	best = once;
	for (int i = 0; i < ROUNDS; i++) {
		ns = round_ns(s, times);
		if (ns < best)
			best = ns;
	}
	return best;
}

static void
row(const char *name, struct policy *policy, struct catalog *catalog, const char *text, size_t len)
{
	struct rights *rights = rights_new(policy, policy_default_profile(policy), catalog, NULL);
	struct subject s = { .rights = rights, .text = text, .len = len };
	struct judgement *j = rights_judge(rights, text, len, JUDGE_SIMPLE, NULL, 0);
	double miss, hit;

	miss = measure(&s);
	s.cache = cache_new(1000, (size_t)16 << 20);
	hit = measure(&s);
	cache_free(s.cache);
	printf("| %s | %zu | %s%s%s | %.2f | %.2f |\n", name, len, verdict_name(j->verdict), j->rule == RULE_NONE ? "" : ", ",
	    j->rule == RULE_NONE ? "" : rule_name(j->rule), miss / 1000, hit / 1000);
	fflush(stdout);
	judgement_unref(j);
	rights_unref(rights);
}

/* SELECT 1+1+1..., or as many parentheses. */
static char *
repeated(const char *unit, size_t len)
{
	struct sb sb = { 0 };

	sb_str(&sb, "SELECT 1");
	while (sb.len < len)
		sb_str(&sb, unit);
	return sb_take(&sb);
}

int
main(int argc, char **argv)
{
	struct catalog *catalog = NULL;
	struct sb errors = { 0 };
	struct err err;
	struct policy *builtin = policy_builtin(), *longer = policy_parse("bench", long_policy, strlen(long_policy), &errors);
	char *plus = repeated("+1", MEGABYTE);

	if (!policy_selftest(&err)) {
		fprintf(stderr, "verdict: %s\n", err.text);
		return 1;
	}
	if (longer == NULL) {
		fprintf(stderr, "verdict: %s", sb_text(&errors));
		return 1;
	}
	if (argc > 1 && (catalog = catalog_load(argv[1], &err)) == NULL) {
		fprintf(stderr, "verdict: %s\n", err.text);
		return 1;
	}
	puts("| statement | bytes | verdict | judged anew, us | from the cache, us |\n| --- | ---: | --- | ---: | ---: |");
	row("pgbench -S", builtin, NULL, pgbench_select, strlen(pgbench_select));
	row("pgbench -S, prepared", builtin, NULL, pgbench_prepared, strlen(pgbench_prepared));
	row("TPC-H Q2", builtin, NULL, tpch_q2, strlen(tpch_q2));
	row("a refused UPDATE", builtin, NULL, refused, strlen(refused));
	if (catalog != NULL) {
		row("pgbench -S, with the catalog", builtin, catalog, pgbench_select, strlen(pgbench_select));
		row("TPC-H Q2, with the catalog", builtin, catalog, tpch_q2, strlen(tpch_q2));
	}
	row("1 MB of +1, built-in policy", builtin, NULL, plus, strlen(plus));
	row("1 MB of +1, max_query_bytes 8MB", longer, NULL, plus, strlen(plus));
	free(plus);
	sb_free(&errors);
	catalog_unref(catalog);
	policy_unref(longer);
	policy_unref(builtin);
	return 0;
}
