/* tests/unit/test_principals.c - tokens and places of one principal, over all of its connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "principals.h"

#define SECOND ((int64_t)1000000)

static const struct principal ann = { "ann", "shop", "psql", "::1" }, bob = { "bob", "shop", "psql", "::1" };

/* How many statements pass at that time? */
static int
takes(struct account *a, const struct limits *l, int64_t now, int64_t *wait)
{
	int n = 0;

	while (account_take(a, l, now, wait))
		n++;
	return n;
}

static void
tokens_come_with_time(void **state)
{
	const struct limits l = { .rate_per_minute = 60, .burst = 5 };
	struct principals *p = principals_new();
	struct account *a = account_open(p, &ann, "agent", SECOND);
	int64_t wait = 0;

	(void)state;
	assert_int_equal(takes(a, &l, 1 * SECOND, &wait), 5);
	assert_in_range(wait, SECOND - 10, SECOND + 10);
	assert_int_equal(takes(a, &l, 1 * SECOND + SECOND / 2, &wait), 0);
	assert_in_range(wait, SECOND / 2 - 10, SECOND / 2 + 10);
	assert_int_equal(takes(a, &l, 3 * SECOND, &wait), 2);
	assert_int_equal(takes(a, &l, 1000 * SECOND, &wait), 5); /* never more than the burst */
	assert_int_equal(takes(a, &l, 900 * SECOND, &wait), 0);  /* another worker's clock may be behind */
	account_close(a);
	principals_free(p);
}

static void
connecting_anew_gains_nothing(void **state)
{
	const struct limits l = { .rate_per_minute = 60, .burst = 5 };
	struct principals *p = principals_new();
	struct account *a = account_open(p, &ann, "agent", SECOND), *b;
	int64_t wait;

	(void)state;
	assert_int_equal(takes(a, &l, SECOND, &wait), 5);
	b = account_open(p, &ann, "agent", SECOND);
	assert_int_equal(takes(b, &l, SECOND, &wait), 0);
	account_close(a);
	account_close(b);
	b = account_open(p, &bob, "agent", SECOND); /* opening drops what is full */
	assert_int_equal(takes(b, &l, SECOND, &wait), 5);
	account_close(b);
	a = account_open(p, &ann, "agent", SECOND);
	assert_int_equal(takes(a, &l, SECOND, &wait), 0);
	b = account_open(p, &ann, "other", SECOND);
	assert_int_equal(takes(b, &l, SECOND, &wait), 5);
	account_close(a);
	account_close(b);
	principals_free(p);
}

static void
so_many_run_at_a_time(void **state)
{
	const struct limits l = { .max_concurrent = 2 }, fewer = { .max_concurrent = 1 };
	struct principals *p = principals_new();
	struct account *a = account_open(p, &ann, "agent", SECOND);

	(void)state;
	assert_true(account_enter(a, &l));
	assert_true(account_enter(a, &l));
	assert_false(account_enter(a, &l));
	account_leave(a);
	assert_false(account_enter(a, &fewer));
	assert_true(account_enter(a, &l));
	account_leave(a);
	account_leave(a);
	account_close(a);
	principals_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "tokens come with time", tokens_come_with_time, NULL, NULL, NULL },
		{ "connecting anew gains nothing", connecting_anew_gains_nothing, NULL, NULL, NULL },
		{ "so many run at a time", so_many_run_at_a_time, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("principals", tests, NULL, NULL);
}
