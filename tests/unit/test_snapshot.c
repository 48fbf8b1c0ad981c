/* tests/unit/test_snapshot.c - whose turn it is to look at the database again, and what counts as known. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot.h"

#define SECOND ((int64_t)1000000)

/* A whole snapshot of nothing: one database row. */
static struct catalog *
a_catalog(void)
{
	static const char *const database[] = { "150020", "5", "shop" };
	struct catalog_builder *b = catalog_builder_new();
	struct catalog *c;
	struct err err;

	if (!catalog_builder_row(b, 0, database, 3, &err))
		fail_msg("%s", err.text);
	catalog_builder_probe(b, "then");
	c = catalog_builder_finish(b, &err);
	if (c == NULL)
		fail_msg("%s", err.text);
	return c;
}

static void
one_at_a_time_has_the_turn(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);
	int64_t now = snapshot_clock();
	uint64_t first, second;
	bool failed;

	(void)state;
	assert_ptr_equal(snapshot_use(all, "shop", 0), s);
	first = snapshot_turn(s, now, &failed);
	assert_int_not_equal(first, 0);
	assert_int_equal(snapshot_turn(s, now + 60 * SECOND, &failed), 0); /* a load may take so long */
	assert_false(failed);
	second = snapshot_turn(s, now + 200 * SECOND, &failed); /* not for ever */
	assert_int_not_equal(second, 0);
	snapshot_leave(s, first); /* it has lost it */
	assert_int_equal(snapshot_turn(s, now + 200 * SECOND, &failed), 0);
	snapshot_leave(s, second);
	assert_int_not_equal(snapshot_turn(s, now + 200 * SECOND, &failed), 0);
	snapshot_unuse(s, 0);
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void
what_is_installed_is_known(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);
	int64_t started = snapshot_clock();
	struct catalog *c = a_catalog(), *found;
	uint64_t generation = catalog_generation(c), ticket, stolen;
	struct err why;
	bool failed;

	(void)state;
	assert_int_equal(snapshot_generation(s), 0);
	assert_null(snapshot_catalog(s, started, &why));
	ticket = snapshot_turn(s, started, &failed);
	assert_int_equal(snapshot_install(s, ticket, c, started), 0);
	assert_int_equal(snapshot_generation(s), generation);
	assert_int_equal(snapshot_probed(s), started);
	found = snapshot_catalog(s, started, &why);
	assert_ptr_equal(found, c);
	catalog_unref(found);
	/* one that comes too late changes nothing */
	stolen = snapshot_turn(s, started, &failed);
	assert_int_not_equal(snapshot_turn(s, started + 10 * SECOND, &failed), 0);
	assert_int_equal(snapshot_install(s, stolen, a_catalog(), started + 1), 0);
	assert_int_equal(snapshot_generation(s), generation);
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void
a_probe_that_began_before_a_change_does_not_count(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);
	int64_t started = snapshot_clock();
	uint64_t ticket;
	bool failed;

	(void)state;
	(void)snapshot_install(s, snapshot_turn(s, started, &failed), a_catalog(), started);
	ticket = snapshot_turn(s, started, &failed);
	snapshot_stale(s);
	assert_int_equal(snapshot_probed(s), 0);
	snapshot_same(s, ticket, started, started);
	assert_int_equal(snapshot_probed(s), 0);
	ticket = snapshot_turn(s, started, &failed);
	started = snapshot_clock() + 1;
	snapshot_same(s, ticket, started, started + 7);
	assert_int_equal(snapshot_probed(s), started);
	assert_int_equal(snapshot_cost(s), 7);
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void
a_failure_is_not_repeated_at_once(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);
	int64_t now = snapshot_clock();
	struct catalog *c;
	struct err why;
	bool failed;

	(void)state;
	snapshot_failed(s, snapshot_turn(s, now, &failed), "no", now);
	assert_null(snapshot_catalog(s, now, &why));
	assert_string_equal(why.text, "no");
	assert_int_equal(snapshot_turn(s, now + SECOND / 2, &failed), 0);
	assert_true(failed);
	(void)snapshot_install(s, snapshot_turn(s, now + 2 * SECOND, &failed), a_catalog(), now + 2 * SECOND);
	now += 3 * SECOND;
	snapshot_failed(s, snapshot_turn(s, now, &failed), "later", now);
	c = snapshot_catalog(s, now, &why); /* what was known is trusted for a while */
	assert_non_null(c);
	catalog_unref(c);
	assert_null(snapshot_catalog(s, now + 60 * SECOND, &why));
	assert_string_equal(why.text, "later");
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void
a_fixed_catalog_is_never_old(void **state)
{
	struct snapshots *all = snapshots_new(a_catalog());
	struct snapshot *s = snapshot_use(all, "shop", 0);

	(void)state;
	assert_int_not_equal(snapshot_generation(s), 0);
	snapshot_stale(s);
	assert_true(snapshot_probed(s) == INT64_MAX);
	snapshots_free(all);
	snapshot_unuse(s, 0); /* the last one frees all */
}

/* What it says of another database's names would be wrong. */
static void
a_fixed_catalog_is_of_one_database(void **state)
{
	struct snapshots *all = snapshots_new(a_catalog());
	struct snapshot *s = snapshot_use(all, "till", 0);
	struct err why = { "" };
	bool failed;

	(void)state;
	assert_null(snapshot_catalog(s, snapshot_clock(), &why));
	assert_string_equal(why.text, "the file of --catalog is of database shop, and this is till");
	assert_int_equal(snapshot_turn(s, snapshot_clock(), &failed), 0); /* nor is it read from the server */
	assert_true(failed);
	snapshot_stale(s);
	assert_true(snapshot_probed(s) == INT64_MAX);
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void
looking_again_without_a_reason_is_limited(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);

	(void)state;
	assert_true(snapshot_force(s, SECOND));
	assert_false(snapshot_force(s, SECOND + 100000));
	assert_true(snapshot_force(s, SECOND + 200000));
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

static void *
hammer(void *arg)
{
	struct snapshot *s = arg;
	struct catalog *c;
	struct err why;
	uint64_t ticket;
	int64_t now;
	bool failed;

	for (int i = 0; i < 300; i++) {
		now = snapshot_clock();
		if ((ticket = snapshot_turn(s, now, &failed)) != 0)
			(void)snapshot_install(s, ticket, a_catalog(), now);
		if ((c = snapshot_catalog(s, now, &why)) != NULL)
			assert_string_equal(catalog_probe(c), "then");
		catalog_unref(c);
		(void)snapshot_generation(s);
		if (i % 50 == 0)
			snapshot_stale(s);
	}
	return NULL;
}

static void
threads_share_it(void **state)
{
	struct snapshots *all = snapshots_new(NULL);
	struct snapshot *s = snapshot_use(all, "shop", 0);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < nitems(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, s), 0);
	for (size_t i = 0; i < nitems(threads); i++)
		pthread_join(threads[i], NULL);
	snapshot_unuse(s, 0);
	snapshots_free(all);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "one at a time has the turn", one_at_a_time_has_the_turn, NULL, NULL, NULL },
		{ "what is installed is known", what_is_installed_is_known, NULL, NULL, NULL },
		{ "a probe that began before a change does not count", a_probe_that_began_before_a_change_does_not_count, NULL,
		    NULL, NULL },
		{ "a failure is not repeated at once", a_failure_is_not_repeated_at_once, NULL, NULL, NULL },
		{ "a fixed catalog is never old", a_fixed_catalog_is_never_old, NULL, NULL, NULL },
		{ "a fixed catalog is of one database", a_fixed_catalog_is_of_one_database, NULL, NULL, NULL },
		{ "looking again without a reason is limited", looking_again_without_a_reason_is_limited, NULL, NULL, NULL },
		{ "threads share it", threads_share_it, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
