/* tests/unit/test_cache.c - a cached judgement is the right one, and the cache stays small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyhash.h"
#include "policy.h"

static struct policy *
parse(const char *text)
{
	struct sb errors = { 0 };
	struct policy *p = policy_parse("f", text, strlen(text), &errors);

	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	return p;
}

static struct rights *
builtin_rights(void)
{
	struct policy *p = policy_builtin();
	struct rights *r = rights_new(p, policy_default_profile(p), NULL, NULL);

	policy_unref(p);
	return r;
}

static const char two_profiles[] = "{\"version\":1,\"profiles\":{\"open\":{},\"closed\":{\"schemas\":{\"allow\":[]}}},"
				   "\"default_profile\":\"open\"}";

/* Judges once, answers with the number of hits that it was. */
static uint64_t
ask(struct cache *c, struct rights *r, const char *sql, size_t len, unsigned flags, enum verdict *verdict)
{
	uint64_t before, after, misses;
	struct judgement *j;

	cache_counts(c, &before, &misses);
	j = cache_judge(c, r, sql, len, flags, NULL, 0);
	assert_int_equal(j->text_len, len);
	assert_memory_equal(j->text, sql, len);
	assert_int_equal(j->rights, rights_generation(r));
	if (verdict != NULL)
		*verdict = j->verdict;
	judgement_unref(j);
	cache_counts(c, &after, &misses);
	return after - before;
}

static void
the_second_time_is_a_hit(void **state)
{
	struct cache *c = cache_new(100, 1 << 20);
	struct rights *r = builtin_rights();

	(void)state;
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 0);
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 1);
	assert_int_equal(ask(c, r, "SELECT 2", 8, 0, NULL), 0);
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 1);
	cache_free(c);
	rights_unref(r);
}

static void
all_of_the_key_counts(void **state)
{
	struct cache *c = cache_new(100, 1 << 20);
	struct policy *p = parse(two_profiles), *again = parse(two_profiles);
	struct rights *open = rights_new(p, policy_profile(p, "open"), NULL, NULL);
	struct rights *closed = rights_new(p, policy_profile(p, "closed"), NULL, NULL);
	struct rights *other = rights_new(again, policy_profile(again, "open"), NULL, NULL);
	struct rights *elsewhere = rights_new(p, policy_profile(p, "open"), NULL, "elsewhere");
	static const char sql[] = "SELECT * FROM orders";
	size_t len = strlen(sql);
	enum verdict verdict;

	(void)state;
	assert_int_equal(ask(c, open, sql, len, JUDGE_SIMPLE, &verdict), 0);
	assert_int_not_equal(verdict, VERDICT_BLOCK);
	assert_int_equal(ask(c, closed, sql, len, JUDGE_SIMPLE, &verdict), 0);
	assert_int_equal(verdict, VERDICT_BLOCK);
	assert_int_equal(ask(c, open, sql, len, JUDGE_EXTENDED, NULL), 0);
	assert_int_equal(ask(c, other, sql, len, JUDGE_SIMPLE, NULL), 0);
	assert_int_equal(ask(c, elsewhere, sql, len, JUDGE_SIMPLE, NULL), 0);
	assert_int_equal(ask(c, open, sql, len - 1, JUDGE_SIMPLE, NULL), 0);
	assert_int_equal(ask(c, open, "SELECT * FROM Orders", len, JUDGE_SIMPLE, NULL), 0);
	assert_int_equal(ask(c, closed, sql, len, JUDGE_SIMPLE, &verdict), 1);
	assert_int_equal(verdict, VERDICT_BLOCK);
	assert_int_equal(ask(c, open, sql, len, JUDGE_EXTENDED, NULL), 1);
	cache_free(c);
	rights_unref(open);
	rights_unref(closed);
	rights_unref(other);
	rights_unref(elsewhere);
	policy_unref(p);
	policy_unref(again);
}

/* With those types, how many hits was it? */
static uint64_t
ask_typed(struct cache *c, struct rights *r, const uint32_t *types, size_t n)
{
	uint64_t before, after, misses;

	cache_counts(c, &before, &misses);
	judgement_unref(cache_judge(c, r, "SELECT $1", 9, JUDGE_EXTENDED, types, n));
	cache_counts(c, &after, &misses);
	return after - before;
}

static void
parameter_types_are_part_of_the_key(void **state)
{
	static const uint32_t text[] = { 25, 25 }, number[] = { 23 };
	static uint32_t many[300];
	struct cache *c = cache_new(100, 1 << 20);
	struct rights *r = builtin_rights();

	(void)state;
	assert_int_equal(ask_typed(c, r, NULL, 0), 0);
	assert_int_equal(ask_typed(c, r, text, 1), 0);
	assert_int_equal(ask_typed(c, r, text, 2), 0);
	assert_int_equal(ask_typed(c, r, number, 1), 0);
	assert_int_equal(ask_typed(c, r, NULL, 0), 1);
	assert_int_equal(ask_typed(c, r, text, 1), 1);
	assert_int_equal(ask_typed(c, r, number, 1), 1);
	for (size_t i = 0; i < nitems(many); i++)
		many[i] = 23;
	assert_int_equal(ask_typed(c, r, many, nitems(many)), 0);
	assert_int_equal(ask_typed(c, r, many, nitems(many)), 0); /* so many are judged without it */
	cache_free(c);
	rights_unref(r);
}

/* In a full cache a text has to come twice before it is kept. */
static void
keep(struct cache *c, struct rights *r, const char *sql)
{
	ask(c, r, sql, strlen(sql), 0, NULL);
	ask(c, r, sql, strlen(sql), 0, NULL);
}

static void
what_comes_once_pushes_nothing_out(void **state)
{
	struct cache *c = cache_new(4, 1 << 20);
	struct rights *r = builtin_rights();
	char sql[64];

	(void)state;
	keep(c, r, "SELECT 'a'");
	keep(c, r, "SELECT 'b'");
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(c, r, sql, (size_t)snprintf(sql, sizeof(sql), "SELECT %d", i), 0, NULL), 0);
	assert_int_equal(ask(c, r, "SELECT 'a'", 10, 0, NULL), 1);
	assert_int_equal(ask(c, r, "SELECT 'b'", 10, 0, NULL), 1);
	cache_free(c);
	rights_unref(r);
}

static void
the_least_recently_used_goes(void **state)
{
	struct cache *c = cache_new(2, 1 << 20);
	struct rights *r = builtin_rights();

	(void)state;
	keep(c, r, "SELECT 1");
	keep(c, r, "SELECT 2");
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 1);
	keep(c, r, "SELECT 3");
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 1);
	assert_int_equal(ask(c, r, "SELECT 3", 8, 0, NULL), 1);
	assert_int_equal(ask(c, r, "SELECT 2", 8, 0, NULL), 0);
	cache_free(c);
	rights_unref(r);
}

static void
bytes_are_bounded(void **state)
{
	struct cache *c = cache_new(1000, 20000);
	struct rights *r = builtin_rights();
	char sql[64];
	uint64_t hits = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(sql, sizeof(sql), "SELECT %d", i);
		keep(c, r, sql);
	}
	for (int i = 499; i >= 0; i--)
		hits += ask(c, r, sql, (size_t)snprintf(sql, sizeof(sql), "SELECT %d", i), 0, NULL);
	assert_in_range(hits, 1, 60); /* an entry is 350 bytes at least */
	cache_free(c);
	rights_unref(r);
}

static void
long_texts_are_judged_without_it(void **state)
{
	struct cache *c = cache_new(100, 1 << 20);
	struct rights *r = builtin_rights();
	struct sb sql = { 0 };

	(void)state;
	sb_str(&sql, "SELECT '");
	while (sql.len < (16 << 10) - 1)
		sb_char(&sql, 'x');
	sb_char(&sql, '\'');
	assert_int_equal(ask(c, r, sb_text(&sql), sql.len, 0, NULL), 0);
	assert_int_equal(ask(c, r, sb_text(&sql), sql.len, 0, NULL), 1);
	sb_char(&sql, ' ');
	assert_int_equal(ask(c, r, sb_text(&sql), sql.len, 0, NULL), 0);
	assert_int_equal(ask(c, r, sb_text(&sql), sql.len, 0, NULL), 0);
	sb_free(&sql);
	cache_free(c);
	rights_unref(r);
}

static void
a_cache_for_nothing_works(void **state)
{
	struct cache *c = cache_new(0, 0);
	struct rights *r = builtin_rights();

	(void)state;
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 0);
	assert_int_equal(ask(c, r, "SELECT 1", 8, 0, NULL), 0);
	cache_free(c);
	cache_free(NULL);
	rights_unref(r);
}

static void
a_judgement_outlives_the_cache(void **state)
{
	struct cache *c = cache_new(10, 1 << 20);
	struct rights *r = builtin_rights();
	struct judgement *j = cache_judge(c, r, "SELECT 1", 8, 0, NULL, 0);

	(void)state;
	cache_free(c);
	rights_unref(r);
	assert_string_equal(j->text, "SELECT 1");
	judgement_unref(j);
}

/* SipHash-1-3 of the bytes 0, 1, 2... under the key 00 01 ... 0f; from a second implementation. */
static void
the_hash_is_siphash(void **state)
{
	static const uint64_t expected[] = { 0xabac0158050fc4dcu, 0xc9f49bf37d57ca93u, 0xd3927d989bb11140u, 0x369095118d299a8eu,
		0xd320d86d2a519956u };
	static const size_t lengths[] = { 0, 1, 7, 8, 15 };
	static const unsigned char bytes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };
	const struct keyhash key = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	struct keyhash a, b;

	(void)state;
	for (size_t i = 0; i < nitems(lengths); i++)
		assert_true(keyhash(&key, bytes, lengths[i]) == expected[i]);
	keyhash_init(&a);
	keyhash_init(&b);
	assert_true(a.k0 != b.k0 && a.k1 != b.k1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "the second time is a hit", the_second_time_is_a_hit, NULL, NULL, NULL },
		{ "rights, flags, length and every byte count", all_of_the_key_counts, NULL, NULL, NULL },
		{ "parameter types are part of the key", parameter_types_are_part_of_the_key, NULL, NULL, NULL },
		{ "what comes once pushes nothing out", what_comes_once_pushes_nothing_out, NULL, NULL, NULL },
		{ "the least recently used goes", the_least_recently_used_goes, NULL, NULL, NULL },
		{ "bytes are bounded", bytes_are_bounded, NULL, NULL, NULL },
		{ "long texts are judged without it", long_texts_are_judged_without_it, NULL, NULL, NULL },
		{ "a cache for nothing works", a_cache_for_nothing_works, NULL, NULL, NULL },
		{ "a judgement outlives the cache", a_judgement_outlives_the_cache, NULL, NULL, NULL },
		{ "the hash is SipHash", the_hash_is_siphash, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
